"""Calls into the library about one client, each in its turn and on a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeVar, cast

import structlog

from relay.whatsapp.linked_device.library import Library
from relay.whatsapp.linked_device.media_access import Access
from relay.whatsapp.linked_device.permission import Permission
from relay.whatsapp.linked_device.protobufs import OwnDevice, as_text, letters_request, parse
from relay.whatsapp.linked_device.threads import on_own_thread

ENTER_S = 15.0  # a call waits that long for a change to be over

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Caller:
    """Calls with a client's ``name``.

    ``usable``: whether the library knows the client; a call about one it does not know is fatal.
    ``proxy`` is the channel's.
    """

    def __init__(
        self, library: Library, name: str, usable: Callable[[], bool], proxy: str | None
    ) -> None:
        self._library = library
        self._name = name
        self._usable = usable
        self._permission = Permission(self.ask, usable, proxy)

    def close(self) -> None:
        """The client has been removed."""
        self._permission.close()

    async def ask(self, what: str, call: Callable[[Library, str], T]) -> T | None:
        """The answer to a call of the library with this client's name; None if none was made."""
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(ENTER_S):
                    enter = await stack.enter_async_context(self._library.gate.call())
            except TimeoutError:
                log.warning("library_busy", doing=what, after_s=ENTER_S)
                return None
            if not self._usable():
                return None
            return await self._call(what, enter, call)

    async def send(self, to: bytes, message: bytes) -> bytes | None:
        """The library's answer to a send; None if nothing was sent, for want of a client.

        Cancelled, it may have been sent all the same; but not while it waited for its turn.
        """
        return await self.ask("send", lambda library, name: library.send_message(name, to, message))

    async def media_access(self) -> Access | None:
        """The permission to upload files; None if WhatsApp does not tell it now."""
        return await self._permission.access()

    async def name(self) -> str | None:
        """The owner's name, once WhatsApp has told it."""
        answer = await self.ask("name", lambda library, name: library.get_me(name))
        if answer is None:
            return None
        return as_text(cast(OwnDevice, parse("Device", answer)).PushName).strip() or None

    async def logout(self) -> str:
        """Remove the device at WhatsApp and its keys here; why not, if that failed.

        The client must be stopped afterwards.
        """
        error = await self.ask("logout", lambda library, name: library.logout(name))
        return "there is no connection" if error is None else error

    async def letters(self, digits: str) -> bytes:
        """The library's answer to the request for letters that link by number.

        Only after the first QR code of this client, which is not known to be usable yet.
        """
        request = letters_request(digits)
        async with self._library.gate.call() as enter:
            return await self._call(
                "letters", enter, lambda library, name: library.pair_phone(name, request)
            )

    async def disconnect(self) -> None:
        """Close the client's socket; it is registered, whatever has become of its events."""
        async with self._library.gate.call() as enter:
            await self._call("disconnect", enter, lambda library, name: library.disconnect(name))

    async def _call(
        self, what: str, enter: Callable[[], None], call: Callable[[Library, str], T]
    ) -> T:
        def work() -> T:
            enter()
            return call(self._library, self._name)

        return await on_own_thread(what, work)
