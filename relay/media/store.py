"""The store of media: one file a medium, under a name that tells all there is to know of it.

    media/key               what makes the tokens unguessable
    media/incoming/         files on their way; whatever is here at a start is swept
    media/files/X/NAME      kept files, by the first character of their tokens

A file is written aside, brought to the disk, and shown by one rename: no half of one is ever seen.
Everything that touches the disk is done on threads of the store's own.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from relay.delivery.media import KeptMedia
from relay.delivery.ports import MediaGoneError
from relay.delivery.store import StoreRefusedError
from relay.domain.contents import Media
from relay.domain.outbox import Destination
from relay.media.arriving import ArrivingFile
from relay.media.kinds import identify, kind_by_ending, library
from relay.media.names import (
    ALPHABET,
    FileName,
    State,
    ending_of,
    fit_for_disk,
    parse_on_disk,
    parse_public,
    token_of,
)

RESERVE: Final = 256 * 1000 * 1000
"""Bytes of the disk that media leave free: the journal needs them more."""

_THREADS: Final = 8
_KEY_LENGTH: Final = 32

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """A kept file that may be given out."""

    path: Path
    name: FileName
    mime: str


class FileStore:
    """The store (``relay.delivery.media.MediaStore``) in a directory that is its own.

    ``limit``: the largest file it takes, in bytes, now; ``reserve``: what it leaves of the disk.

    Raises:
        OSError: the directory cannot be used.
    """

    def __init__(
        self, directory: Path, limit: Callable[[], int], *, reserve: int = RESERVE
    ) -> None:
        self._incoming = directory / "incoming"
        self.files = directory / "files"
        self._limit = limit
        self._reserve = reserve
        self._lock = threading.Lock()  # whoever shows, renames or removes a file
        for folder in (directory, self._incoming, self.files):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()
        self._key = _key(directory / "key")
        _make_folders(self.files)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="media")

    @property
    def limit(self) -> int:
        """The largest file it takes, in bytes."""
        return self._limit()

    def close(self) -> None:
        """Let the threads go, once they have done what they are at."""
        self._threads.shutdown(cancel_futures=True)

    @asynccontextmanager
    async def receive(self) -> AsyncIterator[ReceivedFile]:
        """A new file; dropped on leaving, unless it was kept."""
        arriving = ArrivingFile(self._incoming / secrets.token_hex(8), self.limit, self._reserve)
        try:
            yield ReceivedFile(self, arriving)
        finally:
            if not arriving.gone:
                with suppress(RuntimeError):  # the store is closing: the next start sweeps
                    self._threads.submit(arriving.drop)  # a thread may still be writing it

    def path(self, name: str) -> Path:
        """The file behind a public name (a :data:`relay.delivery.ports.KeptFile`).

        Raises:
            MediaGoneError: there is none any more.
        """
        found = self.find(name)
        if found is None:
            raise MediaGoneError("the file is not kept any more")
        return found.path

    def find(self, name: str) -> Found | None:
        """The file behind a public name. It reads one small folder."""
        token = parse_public(name)
        if token is None:
            return None
        known = self._known(token)
        if known is None or known.public != name:
            return None
        path = self._folder(token) / known.on_disk
        return Found(path, known, kind_by_ending(ending_of(known.name)))

    def note_fetched(self, found: Found) -> None:
        """AmoCRM has the whole file. On any thread."""
        with self._lock, suppress(FileNotFoundError):
            if found.name.state is State.NEW:
                fetched = replace(found.name, state=State.FETCHED)
                found.path.rename(found.path.with_name(fetched.on_disk))

    def remove(self, path: Path) -> bool:
        """Remove a kept file; False if it is not as it was any more. On any thread."""
        with self._lock:
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    async def on_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it on a thread of the store's.

        Raises:
            StoreRefusedError: the disk refused.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except OSError as error:
            raise StoreRefusedError(f"the disk refused a file: {error.strerror}") from error

    def show(self, arriving: ArrivingFile, media: Media, towards: Destination) -> KeptMedia:
        """Give a whole file its name and its place. On a thread of the store's."""
        digest = arriving.finish()
        name, mime = identify(arriving.head, media.name, media.what)
        name = fit_for_disk(name)
        state = State.NEW if towards is Destination.AMOCRM else State.OWN
        known = FileName(token_of(self._key, digest, name), state, name)
        folder = self._folder(known.token)
        with self._lock:
            arriving.gone = self._place(arriving.path, known, folder)
        _sync(folder)
        return KeptMedia(known.public, name, mime, arriving.size)

    def _place(self, path: Path, known: FileName, folder: Path) -> bool:
        """Show it, and whether it was moved there.

        One that was there already is as young and as wanted as if it were new.
        """
        before = self._known(known.token)
        if before is not None:
            if before.state is not State.OWN and known.state is State.OWN:
                known = before
            (folder / before.on_disk).rename(folder / known.on_disk)
            os.utime(folder / known.on_disk)
            return False
        path.rename(folder / known.on_disk)
        return True

    def _known(self, token: str) -> FileName | None:
        try:
            with os.scandir(self._folder(token)) as entries:
                for entry in entries:
                    if entry.name.startswith(token):
                        return parse_on_disk(entry.name)
        except FileNotFoundError:
            pass
        return None

    def _folder(self, token: str) -> Path:
        return self.files / token[0]


class ReceivedFile:
    """A file on its way (``relay.delivery.media.IncomingFile``)."""

    def __init__(self, store: FileStore, arriving: ArrivingFile) -> None:
        self._store = store
        self._arriving = arriving

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._arriving.size

    async def write(self, piece: bytes) -> None:
        """Add to it.

        Raises:
            MediaTooLargeError: it would be larger than the limit.
            StoreRefusedError: the disk is full, or nearly.
        """
        if self._arriving.take(piece):
            await self._store.on_thread(self._arriving.flush)

    async def keep(self, media: Media, *, towards: Destination) -> KeptMedia:
        """It is whole.

        Raises:
            StoreRefusedError: the disk refused; nothing is kept.
        """
        return await self._store.on_thread(self._store.show, self._arriving, media, towards)


def open_files(directory: Path, limit: Callable[[], int]) -> FileStore:
    """The store of a relay, with what it needs loaded. Takes a moment: not on the loop.

    Raises:
        OSError: the directory cannot be used.
    """
    library()
    return FileStore(directory, limit)


def _make_folders(files: Path) -> None:
    """All of them at the first start, so that none has to be brought to the disk with a file."""
    known = {path.name for path in files.iterdir()}
    missing = [name for name in ALPHABET if name not in known]
    for name in missing:
        (files / name).mkdir(mode=0o700)
    if missing:
        _sync(files)


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
    _sync(path.parent)
    return key


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
