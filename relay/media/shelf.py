"""Kept files on disk: showing, finding, marking and removing them. All of it is for threads.

    files/X/NAME        by the first character of their tokens
    bundles/NUMBER      small files once more, until their own are surely on the disk

A large file is brought to the disk before one rename shows it. Small ones are brought there
together, in a bundle, and their own files written without waiting: see :mod:`relay.media.bundles`.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relay.delivery.media import KeptMedia
from relay.domain.contents import Media
from relay.domain.outbox import Destination
from relay.media.arriving import ArrivingFile
from relay.media.bundles import Bundles, records
from relay.media.disk import check_room, sync_folder, write_new
from relay.media.kinds import HEAD, identify, kind_by_ending
from relay.media.names import (
    ALPHABET,
    FileName,
    State,
    ending_of,
    fit_for_disk,
    parse_on_disk,
    parse_public,
    state_of,
    token_of,
)

_AT_ONCE = 64  # files that are on their way to the disk while one of them is waited for


@dataclass(frozen=True, slots=True)
class Found:
    """A kept file that may be given out."""

    path: Path
    name: FileName
    state: State
    mime: str


class Small:
    """A small file that has come whole, as its sender calls it.

    Once it was shown it has ``kept``, or ``error``.
    """

    def __init__(self, content: bytes, media: Media, towards: Destination) -> None:
        self.content = content
        self.media = media
        self.towards = towards
        self.name: FileName | None = None
        self.kept: KeptMedia | None = None
        self.error: Exception | None = None

    def attempt(self, step: Callable[[Small], None]) -> None:
        """Take a step, unless one before it has failed."""
        if self.error is None:
            try:
                step(self)
            except Exception as error:  # noqa: BLE001  one file's fault must not be the others'
                self.error = error


class Shelf:
    """Files in folders that are its own, under names that the key makes unguessable.

    ``reserve``: bytes of the disk that it leaves free.

    Raises:
        OSError: the folders cannot be used.
    """

    def __init__(self, files: Path, bundles: Path, key: bytes, reserve: int) -> None:
        self._files = files
        self._bundles = Bundles(bundles)
        self._key = key
        self._reserve = reserve
        self._lock = threading.Lock()  # whoever shows, marks or removes a file
        self._bundling = threading.Lock()
        _make_folders(files)
        for bundle in self._bundles.left:
            self._mend(bundle)
            self.settle(bundle)

    def show(self, file: ArrivingFile, media: Media, towards: Destination) -> KeptMedia:
        """Give a whole file its name and its place, for good.

        Raises:
            OSError: the disk refused.
        """
        name, kept = self._named(file.finish(), file.head, file.size, media)
        self._place(name, towards, file)
        sync_folder(self._folder(name.token))
        return kept

    def show_together(self, smalls: Sequence[Small]) -> None:
        """The same with many small ones; each then has its end."""
        with self._bundling:
            try:
                check_room(self._files, self._reserve)
                for small in smalls:
                    small.attempt(self._name)
                self._bundles.add([(s.name.on_disk, s.content) for s in smalls if s.name])
            except OSError as error:
                for small in smalls:
                    small.error = small.error or error
            for small in smalls:  # before anybody may settle this bundle
                small.attempt(self._place_small)

    def ended_bundle(self, *, at_once: bool = False) -> Path | None:
        """A bundle that is full (``at_once``: however full it is), to be settled."""
        with self._bundling:
            return self._bundles.ended(at_once=at_once)

    def settle(self, bundle: Path) -> None:
        """Everything in it is on the disk elsewhere; it goes.

        Raises:
            OSError: the disk refused; it stays, and the next start sees to it.
        """
        names = [parse_on_disk(name) for name, _ in records(bundle)]
        known = [name for name in names if name is not None]
        for start in range(0, len(known), _AT_ONCE):
            self._sync_files(known[start : start + _AT_ONCE])
        for first in {name.token[0] for name in known}:
            sync_folder(self._files / first)
        bundle.unlink()

    def find(self, name: str) -> Found | None:
        """The file behind a public name. It reads one small folder."""
        token = parse_public(name)
        if token is None:
            return None
        known = self._known(token)
        if known is None or known.public != name:
            return None
        path = Path(self._path(known))
        try:
            state = state_of(path.stat().st_mode)
        except FileNotFoundError:
            return None  # removed in this very moment
        return Found(path, known, state, kind_by_ending(ending_of(known.name)))

    def note_fetched(self, found: Found) -> None:
        """AmoCRM has the whole file."""
        with self._lock, suppress(FileNotFoundError):
            if found.state is State.NEW:
                found.path.chmod(State.FETCHED)

    def remove(self, path: Path) -> bool:
        """Remove a kept file; False if it is not as it was any more."""
        with self._lock:
            try:
                path.unlink()
            except FileNotFoundError:
                return False
        return True

    def _name(self, small: Small) -> None:
        content = small.content
        digest = hashlib.sha256(content).digest()
        small.name, small.kept = self._named(digest, content[:HEAD], len(content), small.media)

    def _named(
        self, digest: bytes, head: bytes, size: int, media: Media
    ) -> tuple[FileName, KeptMedia]:
        called, mime = identify(head, media.name, media.what)
        called = fit_for_disk(called)
        name = FileName(token_of(self._key, digest, called), called)
        return name, KeptMedia(name.public, called, mime, size)

    def _place_small(self, small: Small) -> None:
        if small.name is not None:
            path, state = self._path(small.name), _state(small.towards)
            with self._lock:
                try:
                    write_new(path, small.content, state)
                except FileExistsError:
                    _renew(path, state)

    def _place(self, name: FileName, towards: Destination, file: ArrivingFile) -> None:
        path, state = self._path(name), _state(towards)
        with self._lock:
            try:
                _renew(path, state)
            except FileNotFoundError:
                file.move(path, state)

    def _mend(self, bundle: Path) -> None:
        """Make again what an earlier process kept: it may be whole, torn, or not there."""
        for on_disk, content in records(bundle):
            name = parse_on_disk(on_disk)
            digest = hashlib.sha256(content).digest()
            if name is None or token_of(self._key, digest, name.name) != name.token:
                return  # torn here
            path = self._path(name)
            state = State.NEW  # of one that is not there: rather kept too long
            with suppress(FileNotFoundError):
                state = state_of(Path(path).stat().st_mode)
                Path(path).unlink()  # it may be no more than a memory of its bytes
            write_new(path, content, state)

    def _sync_files(self, names: Sequence[FileName]) -> None:
        fds = list[int]()
        try:
            for name in names:
                with suppress(FileNotFoundError):  # it was removed meanwhile
                    fds.append(os.open(self._path(name), os.O_RDONLY))
            for fd in fds:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # it begins to write
            for fd in fds:
                os.fdatasync(fd)
        finally:
            for fd in fds:
                os.close(fd)

    def _known(self, token: str) -> FileName | None:
        try:
            with os.scandir(self._folder(token)) as entries:
                for entry in entries:
                    if entry.name.startswith(token):
                        return parse_on_disk(entry.name)
        except FileNotFoundError:
            pass
        return None

    def _path(self, name: FileName) -> str:
        """A string: a Path costs more than what is done with it."""
        return f"{self._files}/{name.token[0]}/{name.on_disk}"

    def _folder(self, token: str) -> Path:
        return self._files / token[0]


def _state(towards: Destination) -> State:
    return State.NEW if towards is Destination.AMOCRM else State.OWN


def _renew(path: str, state: State) -> None:
    """One that was there already is as young and as wanted as if it were new."""
    os.utime(path)
    if state is not State.OWN:
        Path(path).chmod(state)


def _make_folders(files: Path) -> None:
    """All of them at the first start, so that none has to be brought to the disk with a file."""
    known = {path.name for path in files.iterdir()}
    missing = [name for name in ALPHABET if name not in known]
    for name in missing:
        (files / name).mkdir(mode=0o700)
    if missing:
        sync_folder(files)
