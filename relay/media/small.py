"""Small files: on their way into a bundle, and in it, while they have no files of their own yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from relay.delivery.media import KeptMedia
from relay.domain.contents import Media
from relay.domain.outbox import Destination
from relay.media.bundles import Place
from relay.media.names import FileName, State


class Small:
    """A small file that has come whole, as its sender calls it. ``digest``: its SHA-256.

    Once it was shown it has ``kept``, or ``error``.
    """

    __slots__ = ("content", "digest", "error", "kept", "media", "name", "place", "towards")

    def __init__(self, content: bytes, digest: bytes, media: Media, towards: Destination) -> None:
        self.content = content
        self.digest = digest
        self.media = media
        self.towards = towards
        self.name: FileName | None = None
        self.place: Place | None = None
        self.kept: KeptMedia | None = None
        self.error: Exception | None = None

    def attempt(self, step: Callable[[Small], None]) -> None:
        """Take a step, unless one before it has failed."""
        if self.error is None:
            try:
                step(self)
            except Exception as error:  # noqa: BLE001  one file's fault must not be the others'
                self.error = error


@dataclass(slots=True)
class Bundled:
    """A file that only its bundle holds. ``since_ns``: when it was kept; ``size``: its bytes."""

    name: FileName
    place: Place
    size: int
    since_ns: int
    state: State

    def read(self) -> bytes:
        """Its content.

        Raises:
            FileNotFoundError: its bundle is gone: it has a file of its own by now.
            OSError: the disk refused.
        """
        fd = os.open(self.place.bundle, os.O_RDONLY)
        try:
            return os.pread(fd, self.size, self.place.at)
        finally:
            os.close(fd)


@dataclass(frozen=True, slots=True)
class FoundSmall:
    """A kept file that may be given out of its bundle. ``since_ns``: when it was kept."""

    name: FileName
    state: State
    mime: str
    content: bytes
    since_ns: int
