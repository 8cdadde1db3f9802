"""The phone's address book, as far as WhatsApp shares it with linked devices.

The library keeps it in the session's file and tells nobody of its changes, so it is looked through
once in a while. A message is handed over with the name that stands there, for amoCRM keeps a
contact as it first saw it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from relay.delivery.ports import Clock
from relay.domain.ids import ChannelId
from relay.domain.retry import MINUTE, SECOND
from relay.whatsapp.linked_device.addressing import digits_of, hidden_user
from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.numbers import client_in
from relay.whatsapp.linked_device.protobufs import as_text, parse
from relay.whatsapp.linked_device.threads import on_own_thread

_LOOK_AFTER_MS = (2 * SECOND, 10 * SECOND, 30 * SECOND)  # a new device gets the book in a while
_LOOK_AGAIN_MS = 15 * MINUTE

log = structlog.get_logger(__name__)


class AddressBook:
    """Names by number or hidden address. :meth:`name_in` may be called on any thread."""

    def __init__(self, channel: ChannelId, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._names: Mapping[str, str] = {}

    def name_in(self, message: bytes) -> str | None:
        """What the book calls the client that a message is from or to."""
        names = self._names
        if not names:
            return None
        try:
            number, hidden = client_in(message)
        except ValueError:
            return None  # it is in the journal, and will be found unreadable there
        return names.get(number or "") or names.get(hidden or "")

    @asynccontextmanager
    async def beside(self, client: Client) -> AsyncIterator[None]:
        """Look through the client's book while inside."""
        task = asyncio.create_task(self._run(client), name="address book")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                words = f"{type(error).__name__}: {error}"
                log.warning("address_book_unread", channel=self._channel, error=words)

    async def _run(self, client: Client) -> None:
        await self._look(client)
        for pause_ms in _LOOK_AFTER_MS:
            await self._clock.sleep_ms(pause_ms)
            await self._look(client)
        while True:
            await self._clock.sleep_ms(_LOOK_AGAIN_MS)
            await self._look(client)

    async def _look(self, client: Client) -> None:
        answer = await client.calls.ask(
            "address-book", lambda library, name: library.get_contacts(name)
        )
        if answer is not None:
            self._names = await on_own_thread("address-book", lambda: read_contacts(answer))


def read_contacts(answer: bytes) -> dict[str, str]:
    """Full names by number's digits or hidden address, from the library's answer.

    Raises:
        ValueError: the library could not read its file, or its answer makes no sense.
    """
    read: Any = parse("ContactsGetAllContactsReturnFunction", answer)
    if read.Error:
        raise ValueError("the library cannot read its contacts")
    names = {}
    for contact in read.Contact:
        who = digits_of(contact.JID) or hidden_user(contact.JID)
        name = " ".join(as_text(contact.Info.FullName).split())
        if who and name:
            names[who] = name
    return names
