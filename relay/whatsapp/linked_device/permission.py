"""Asks the library for the permission to upload, and leaves it as it was.

While the library's way to the media host leads nowhere (see ``media_access``), its own downloads
fail, so it is led back whatever happens. Each step is a call of its own: the library must find the
client right at its beginning (see ``gate``), and the upload may have to wait for WhatsApp.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from relay.whatsapp.linked_device.library import Library
from relay.whatsapp.linked_device.media_access import Access, media_proxy, read_access

T = TypeVar("T")


class _Ask(Protocol):
    def __call__(self, what: str, call: Callable[[Library, str], T], /) -> Awaitable[T | None]: ...


class Permission:
    """What a client has been told. ``ask`` calls the library with the client's name.

    ``usable``: whether the library still knows the client. ``proxy`` is the channel's.
    """

    def __init__(self, ask: _Ask, usable: Callable[[], bool], proxy: str | None) -> None:
        self._ask = ask
        self._usable = usable
        self._proxy = proxy
        self._access: Access | None = None
        self._asking: asyncio.Task[None] | None = None

    async def access(self) -> Access | None:
        """The permission; None if WhatsApp does not tell it now.

        Raises:
            ValueError: the library cannot use the way to the media host.
        """
        if self._access is None or time.monotonic() >= self._access.until_s:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._renew(), name="permission to upload")
            await asyncio.shield(self._asking)  # whoever gives up must not leave it half done
        # If nothing new is told, the library takes the old one for good, and so do we.
        return self._access

    def close(self) -> None:
        """The client has been removed: there is nothing to lead back any more."""
        if self._asking is not None:
            self._asking.cancel()

    async def _renew(self) -> None:
        proxy = self._proxy
        await self._ask("media-host", lambda library, name: library.ask_for_media_host(name, proxy))
        try:
            answer = await self._ask("media-host", lambda lib, name: lib.upload_to_nobody(name))
        finally:
            await self._lead_back()
        if answer is not None:
            self._access = read_access(answer, time.monotonic()) or self._access

    async def _lead_back(self) -> None:
        """Not for want of a turn does it stay undone: each try waits, and tells the log."""
        way = media_proxy(self._proxy)
        while self._usable():
            if await self._ask("media-way", lambda library, name: library.lead_media(name, way)):
                return
