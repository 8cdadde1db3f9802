"""The store of media: one file a medium, under a name that tells all there is to know of it.

    media/key               what makes the tokens unguessable
    media/incoming/         files on their way; whatever is here at a start is swept
    media/files/X/NAME      kept files, by the first character of their tokens
    media/bundles/          the latest small ones (see relay.media.shelf)

No half of a file is ever seen, and nobody is told of one that is not on the disk. Everything
that touches the disk is done on threads of the store's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from relay.delivery.media import KeptMedia
from relay.delivery.ports import MediaGoneError, MediaTooLargeError, Throttle, unthrottled
from relay.delivery.store import StoreRefusedError
from relay.domain.contents import Media
from relay.domain.outbox import Destination
from relay.media.arriving import ArrivingFile
from relay.media.disk import sync_folder
from relay.media.kinds import library
from relay.media.settling import Settling
from relay.media.shelf import Found, Shelf
from relay.media.small import FoundSmall, Small
from relay.media.together import Together

RESERVE: Final = 256 * 1000 * 1000
"""Bytes of the disk that media leave free: the journal needs them more."""

PIECE: Final = 256 * 1024
"""Bytes gathered before a thread is asked to write them; what is whole before is a small file."""

_THREADS: Final = 8
_MOST_TOGETHER: Final = 64  # small files for which one waits
_PAUSE_S: Final = 0.008  # between two waits for the disk, in a rush
_KEY_LENGTH: Final = 32

P = ParamSpec("P")
T = TypeVar("T")


class FileStore:
    """The store (``relay.delivery.media.MediaStore``) in a directory that is its own.

    ``limit``: the largest file it takes, in bytes, now; ``reserve``: what it leaves of the disk;
    ``throttle``: what large files wait for, on their way in and out.

    Raises:
        OSError: the directory cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        limit: Callable[[], int],
        *,
        reserve: int = RESERVE,
        throttle: Throttle = unthrottled,
    ) -> None:
        self.throttle = throttle
        self._incoming = directory / "incoming"
        self.files = directory / "files"
        self._numbers = itertools.count()
        self._limit = limit
        self._reserve = reserve
        bundles = directory / "bundles"
        for folder in (directory, self._incoming, self.files, bundles):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()
        key = _key(directory / "key")
        sync_folder(directory)
        self._shelf = Shelf(self.files, bundles, key, reserve)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="media")
        self._together = Together(self._threads, self._show_together, _MOST_TOGETHER, _PAUSE_S)
        self._settling = Settling(self._shelf, self._threads)

    @property
    def limit(self) -> int:
        """The largest file it takes, in bytes."""
        return self._limit()

    def close(self) -> None:
        """Let the threads go, once they have done what they are at. Blocks meanwhile."""
        self._threads.shutdown(cancel_futures=True)
        self._settling.settle()

    def receive(self) -> ReceivedFile:
        """A new file; dropped on leaving, unless it was kept."""
        return ReceivedFile(self, self.limit)

    def arriving(self) -> ArrivingFile:
        """Where a file that proves to be large is written; to be dropped in the end."""
        path = self._incoming / f"{next(self._numbers)}"  # the folder was swept
        return ArrivingFile(path, self._reserve)

    def drop(self, arriving: ArrivingFile) -> None:
        """Nothing of it stays, unless it was kept."""
        with suppress(RuntimeError):  # the store is closing: the next start sweeps
            self._threads.submit(arriving.drop)  # a thread may still be writing it

    def path(self, name: str) -> Path:
        """The file behind a public name (a :data:`relay.delivery.ports.KeptFile`).

        Raises:
            MediaGoneError: there is none any more.
            OSError: the disk refused it, now.
        """
        found = self.find(name)
        if found is None:
            raise MediaGoneError("the file is not kept any more")
        return found.path

    def find(self, name: str) -> Found | None:
        """The file behind a public name. It reads one small folder, or makes it of its bundle.

        Raises:
            OSError: the disk refused that.
        """
        return self._shelf.find(name)

    def find_bundled(self, name: str) -> FoundSmall | None:
        """The file behind a public name, while only a bundle holds it. On any thread.

        Raises:
            OSError: the disk refused.
        """
        return self._shelf.find_bundled(name)

    def note_fetched(self, found: Found | FoundSmall) -> None:
        """AmoCRM has the whole file. On any thread."""
        self._shelf.note_fetched(found)

    def remove(self, path: Path) -> bool:
        """Remove a kept file; False if it is not as it was any more. On any thread."""
        return self._shelf.remove(path)

    async def on_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it on a thread of the store's.

        Raises:
            StoreRefusedError: the disk refused.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except OSError as error:
            raise _refused(error) from error

    async def keep_large(
        self, arriving: ArrivingFile, rest: Sequence[bytes], media: Media, towards: Destination
    ) -> KeptMedia:
        """Keep a file that has been written but for the rest of it.

        Raises:
            StoreRefusedError: the disk refused; nothing is kept.
        """

        def keep() -> KeptMedia:
            if rest:
                arriving.write(rest)
            return self._shelf.show(arriving, media, towards)

        return await self.on_thread(keep)

    async def keep_small(self, content: bytes, media: Media, towards: Destination) -> KeptMedia:
        """Keep a small file, together with others that come meanwhile.

        Raises:
            StoreRefusedError: the disk refused; nothing is kept.
        """
        # Here: a thread that hashes one after the other asks for Python's lock after each.
        small = Small(content, hashlib.sha256(content).digest(), media, towards)
        await self._together(small)
        if small.kept is not None and small.error is None:
            return small.kept
        if isinstance(small.error, OSError):
            raise _refused(small.error) from small.error
        raise small.error or RuntimeError("a file was forgotten")

    async def settle(self) -> None:
        """What was kept together is on the disk in files of its own, too."""
        await self.on_thread(self._settling.settle)

    def _show_together(self, smalls: Sequence[Small]) -> None:
        self._shelf.show_together(smalls)
        self._settling.see()


class ReceivedFile:
    """A file on its way (``relay.delivery.media.IncomingFile``); in memory while it is small."""

    __slots__ = ("_arriving", "_gathered", "_limit", "_pieces", "_store", "size")

    def __init__(self, store: FileStore, limit: int) -> None:
        self.size = 0
        self._store = store
        self._limit = limit
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._arriving: ArrivingFile | None = None

    async def __aenter__(self) -> ReceivedFile:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._arriving is not None:
            self._store.drop(self._arriving)

    async def write(self, piece: bytes) -> None:
        """Add to it.

        Raises:
            MediaTooLargeError: it would be larger than the limit.
            StoreRefusedError: the disk is full, or nearly.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise MediaTooLargeError(f"larger than {self._limit} bytes")
        self._pieces.append(piece)
        self._gathered += len(piece)
        if self._gathered >= PIECE:
            await self._flush()

    async def _flush(self) -> None:
        self._arriving = self._arriving or self._store.arriving()
        await self._store.throttle(self._gathered)
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        await self._store.on_thread(self._arriving.write, pieces)

    async def keep(self, media: Media, *, towards: Destination) -> KeptMedia:
        """It is whole.

        Raises:
            StoreRefusedError: the disk refused; nothing is kept.
        """
        if self._arriving is None:
            return await self._store.keep_small(b"".join(self._pieces), media, towards)
        return await self._store.keep_large(self._arriving, self._pieces, media, towards)


def open_files(directory: Path, limit: Callable[[], int], throttle: Throttle) -> FileStore:
    """The store of a relay, with what it needs loaded. Takes a moment: not on the loop.

    Raises:
        OSError: the directory cannot be used.
    """
    library()
    return FileStore(directory, limit, throttle=throttle)


def _key(path: Path) -> bytes:
    """The store's key, made at the first start."""
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == _KEY_LENGTH:
            return key
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        key = secrets.token_bytes(_KEY_LENGTH)
        os.write(fd, key)
        os.fsync(fd)
    finally:
        os.close(fd)
    aside.rename(path)
    sync_folder(path.parent)
    return key


def _refused(error: OSError) -> StoreRefusedError:
    return StoreRefusedError(f"the disk refused a file: {error.strerror}")
