"""The ports to the relay's own store of media, and to those who bring media there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from relay.delivery.ports import MediaWriter
from relay.domain.contents import Media
from relay.domain.outbox import Destination, Letter
from relay.domain.values import value

MediaSource = Callable[[str, MediaWriter], Awaitable[None]]
"""Brings the bytes behind a ``Remote.ref``: :meth:`relay.delivery.ports.Engine.fetch` is one."""

MediaSources = Callable[[Letter], MediaSource | None]
"""Who brings what a letter asks for; None: nobody now."""


@value
class KeptMedia:
    """A file in the store.

    ``name`` is that of :class:`~relay.domain.contents.Kept` and of its public link, ``file_name``
    what people call it, with an ending that fits; ``mime`` and ``size`` (bytes) were found out.
    """

    name: str
    file_name: str
    mime: str
    size: int


class IncomingFile(Protocol):
    """A file on its way into the store. Nobody sees it until it is kept."""

    @property
    def size(self) -> int:
        """Bytes so far."""
        ...

    async def write(self, piece: bytes) -> None:
        """Add to it.

        Raises:
            MediaTooLargeError: it would be larger than the limit.
            StoreRefusedError: the disk is full, or nearly.
        """
        ...

    async def keep(self, media: Media, *, towards: Destination) -> KeptMedia:
        """It is whole: from now on it is in the store, durable. ``media``: as its sender calls it.

        What goes towards WhatsApp is needed for its own message only, what goes towards amoCRM
        for as long as amoCRM may come for it.

        Raises:
            StoreRefusedError: the disk refused; nothing is kept.
        """
        ...


class MediaStore(Protocol):
    """Where the bytes of media are kept."""

    @property
    def limit(self) -> int:
        """The largest file it takes, in bytes."""
        ...

    def receive(self) -> AbstractAsyncContextManager[IncomingFile]:
        """A new file; it is dropped on leaving, unless it was kept."""
        ...


class Finisher(Protocol):
    """Makes of a file just kept what the other side can use."""

    async def __call__(self, media: Media, towards: Destination) -> Media:
        """The medium as it may go there; the same one if there is nothing to be done.

        Raises:
            StoreRefusedError: the disk refused what was made of it.
        """
        ...


async def as_it_is(media: Media, towards: Destination) -> Media:
    """A :class:`Finisher` that does nothing."""
    del towards
    return media
