"""Unlinks a number while no relay has its session: connects once, logs out, removes the file.

Like a pairing it needs a process of its own: without a device in the file, nothing can stop it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.early import Early
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.library import Library
from relay.whatsapp.linked_device.library_log import without_numbers
from relay.whatsapp.linked_device.pairing_terms import NotUnlinkedError
from relay.whatsapp.linked_device.reachability import reach
from relay.whatsapp.linked_device.states import Then, verdict_on
from relay.whatsapp.linked_device.store import SessionStore
from relay.whatsapp.linked_device.threads import on_own_thread
from relay.whatsapp.linked_device.way import first_hop

CONNECT_S = 60.0


async def unpair(store: SessionStore, proxy: str | None, load: Callable[[], Library]) -> None:
    """Log the device of ``store``, which the caller has locked, out at WhatsApp; remove the file.

    A device that its owner has removed on the phone before is as good.

    Raises:
        NotUnlinkedError: WhatsApp cannot be reached, or does not let the device in.
        OSError: the disk or its permissions are against it.
        LibraryMissingError: the library cannot be loaded.
    """
    unreachable = await reach(first_hop(proxy))
    if unreachable is not None:
        raise NotUnlinkedError(unreachable)
    library = await on_own_thread("load-library", load)
    early = Early(store.path)
    visit = _Visit()
    client = Client(library, store.database, proxy, early, visit)
    try:
        await client.start()
        try:
            async with asyncio.timeout(CONNECT_S):
                removed = await visit.over
        except TimeoutError:
            raise NotUnlinkedError(f"no connection within {CONNECT_S:g} s") from None
        if not removed and (error := await client.calls.logout()):
            raise NotUnlinkedError(without_numbers(error))
    finally:
        await client.stop()
        early.keep()
    store.remove()


class _Visit:
    """Waits for the connection. ``over``: whether the device had been removed before."""

    def __init__(self) -> None:
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def heard(self, code: int, data: bytes) -> None:
        """An event came."""
        if self.over.done():
            return
        verdict = verdict_on(code, data)
        if code == Code.CONNECTED:
            self.over.set_result(False)
        elif code in (Code.LOGGED_OUT, Code.QR):
            self.over.set_result(True)
        elif verdict is not None and verdict.then is not Then.STAY:
            self.over.set_exception(NotUnlinkedError(verdict.reason))

    def broken(self, error: BaseException) -> None:
        """An event could not be kept."""
        self.ended(str(error))

    def ended(self, words: str) -> None:
        """The library gave up."""
        if not self.over.done():
            self.over.set_exception(NotUnlinkedError(without_numbers(words)))
