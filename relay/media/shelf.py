"""Kept files on disk: showing, finding, marking and removing them. All of it is for threads.

    files/X/NAME        by the first character of their tokens
    bundles/NUMBER      small files, until those of their own are surely on the disk

A large file is brought to the disk before one rename shows it. Small ones are brought there
together, in a bundle (see :mod:`relay.media.bundles`). Its own file each gets when the bundle is
settled, or when somebody needs it before; till then amoCRM is given it out of the bundle.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relay.delivery.media import KeptMedia
from relay.domain.contents import Media
from relay.domain.outbox import Destination
from relay.media.arriving import ArrivingFile
from relay.media.bundles import Bundles
from relay.media.disk import check_room, sync_folder
from relay.media.kinds import HEAD, identify, kind_by_ending
from relay.media.names import (
    ALPHABET,
    FileName,
    State,
    ending_of,
    fit_for_disk,
    parse_on_disk,
    parse_public,
    path_of,
    state_of,
    token_of,
)
from relay.media.small import Bundled, FoundSmall, Small
from relay.media.unsettled import Unsettled, renew


@dataclass(frozen=True, slots=True)
class Found:
    """A kept file that may be given out."""

    path: Path
    name: FileName
    state: State
    mime: str


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
        self._unsettled = Unsettled(files, self._lock)
        self._bundling = threading.Lock()
        _make_folders(files)
        for bundle in self._bundles.left:
            self._unsettled.mend(bundle, key)
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
            for small in smalls:
                small.attempt(self._name)
            named = [(small, small.name) for small in smalls if small.name is not None]
            try:
                check_room(self._files, self._reserve)
                places = self._bundles.add([(name.on_disk, s.content) for s, name in named])
            except OSError as error:
                for small in smalls:
                    small.error = small.error or error
                return
            for (small, _), small.place in zip(named, places, strict=True):
                small.attempt(self._shelve)  # before anybody may settle this bundle

    def ended_bundle(self, *, at_once: bool = False) -> Path | None:
        """A bundle that is full (``at_once``: however full it is), to be settled."""
        with self._bundling:
            return self._bundles.ended(at_once=at_once)

    def settle(self, bundle: Path) -> None:
        """Everything in it is on the disk in files of their own; it goes.

        Raises:
            OSError: the disk refused; it stays, and the next start sees to it.
        """
        self._unsettled.settle(bundle)

    def find(self, name: str) -> Found | None:
        """The file behind a public name. It reads one small folder.

        Raises:
            OSError: the disk refused to make it of its bundle.
        """
        token = parse_public(name)
        if token is None:
            return None
        if (one := self._unsettled.get(token)) is not None:
            self._unsettled.unbundle(one)
        known = self._known(token)
        if known is None or known.public != name:
            return None
        path = Path(path_of(self._files, known))
        try:
            state = state_of(path.stat().st_mode)
        except FileNotFoundError:
            return None  # removed in this very moment
        return Found(path, known, state, kind_by_ending(ending_of(known.name)))

    def find_bundled(self, name: str) -> FoundSmall | None:
        """The file behind a public name, if it has none of its own yet.

        Raises:
            OSError: the disk refused.
        """
        one = self._unsettled.get(parse_public(name) or "")
        if one is None or one.name.public != name:
            return None
        try:
            content = one.read()
        except FileNotFoundError:
            return None  # it was settled in this very moment
        mime = kind_by_ending(ending_of(one.name.name))
        return FoundSmall(one.name, one.state, mime, content, one.since_ns)

    def note_fetched(self, found: Found | FoundSmall) -> None:
        """AmoCRM has the whole file."""
        with self._lock, suppress(FileNotFoundError):
            if (one := self._unsettled.get(found.name.token)) is not None:
                one.state = State.FETCHED
            elif found.state is State.NEW:
                Path(path_of(self._files, found.name)).chmod(State.FETCHED)

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
        small.name, small.kept = self._named(
            small.digest, content[:HEAD], len(content), small.media
        )

    def _named(
        self, digest: bytes, head: bytes, size: int, media: Media
    ) -> tuple[FileName, KeptMedia]:
        called, mime = identify(head, media.name, media.what)
        called = fit_for_disk(called)
        name = FileName(token_of(self._key, digest, called), called)
        return name, KeptMedia(name.public, called, mime, size)

    def _shelve(self, small: Small) -> None:
        if small.name is not None and small.place is not None:
            state, size = _state(small.towards), len(small.content)
            one = Bundled(small.name, small.place, size, time.time_ns(), state)
            self._unsettled.add(one, small.content)

    def _place(self, name: FileName, towards: Destination, file: ArrivingFile) -> None:
        path, state = path_of(self._files, name), _state(towards)
        with self._lock:
            try:
                renew(path, state, time.time_ns())
            except FileNotFoundError:
                file.move(path, state)

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
        return self._files / token[0]


def _state(towards: Destination) -> State:
    return State.NEW if towards is Destination.AMOCRM else State.OWN


def _make_folders(files: Path) -> None:
    """All of them at the first start, so that none has to be brought to the disk with a file."""
    known = {path.name for path in files.iterdir()}
    missing = [name for name in ALPHABET if name not in known]
    for name in missing:
        (files / name).mkdir(mode=0o700)
    if missing:
        sync_folder(files)
