"""Learns whose number a hidden address is, from WhatsApp or from the library's own file.

What is learnt is handed over like any other event, as a payload of ours: it is kept in the journal
and sorted in its turn. Nothing waits for it: the message itself was kept before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from relay.delivery.ports import HandOver
from relay.delivery.store import StoreRefusedError
from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.addressing import HIDDEN_SERVER
from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.numbers import learnt, number_stored
from relay.whatsapp.linked_device.protobufs import jid_bytes

_LONGEST_QUEUE = 256  # what does not fit is looked up at the client's next message
_MOST_KNOWN = 10_000

log = structlog.get_logger(__name__)


class Learning:
    """Looks strangers up while a client lives, and hands over whatever is learnt."""

    def __init__(self, hand_over: HandOver) -> None:
        self._hand_over = hand_over
        self._waiting: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue(_LONGEST_QUEUE)
        self._known: set[tuple[str, str]] = set()

    def stranger(self, hidden: str) -> None:
        """A message came without a number beside it."""
        self._put(hidden, None)

    def learnt(self, hidden: str, number: str) -> None:
        """These two are one person."""
        if (hidden, number) not in self._known:
            self._put(hidden, number)

    def _put(self, hidden: str, number: str | None) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait((hidden, number))

    @asynccontextmanager
    async def beside(self, client: Client) -> AsyncIterator[None]:
        """Learn while inside."""
        task = asyncio.create_task(self._run(client), name="learn numbers")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("learning_failed", error=f"{type(error).__name__}: {error}")

    async def _run(self, client: Client) -> None:
        while True:
            hidden, number = await self._waiting.get()
            try:
                number = number or await _look_up(client, hidden)
                await self._tell(client.own, hidden, number)
            except (ValueError, StoreRefusedError) as error:
                log.warning("number_not_learnt", error=f"{type(error).__name__}: {error}")

    async def _tell(self, own: OwnNumber | None, hidden: str, number: str | None) -> None:
        if number is None or own is None or number == own or (hidden, number) in self._known:
            return
        await self._hand_over(learnt(own, hidden, number))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add((hidden, number))


async def _look_up(client: Client, hidden: str) -> str | None:
    jid = jid_bytes(hidden, HIDDEN_SERVER)
    answer = await client.calls.ask(
        "look-up", lambda library, name: library.get_pn_from_lid(name, jid)
    )
    return number_stored(answer) if answer is not None else None
