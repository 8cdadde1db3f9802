"""Keeps what arrived until a test takes it, and lets the test wait without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.node import Node
from tests.whatsapp_server.protobuf import Fields

PATIENCE_S = 60.0
"""How long a wait lasts before the test has failed: far beyond any healthy answer."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that reached a person's own phone.

    ``sender`` is the device it came from. ``chat`` is whom it was written to: differs from the
    reader only in what another device of the same account sent, and in groups.
    """

    id: str
    sender: Jid
    chat: Jid
    text: str
    message: Fields
    stanza: Node


@dataclass(frozen=True, slots=True)
class Receipt:
    """A client's word on a message: ``delivered`` (also ``inactive``), ``read``, ``retry``…"""

    id: str
    kind: str
    sender: Jid
    stanza: Node


class Inbox(Generic[Item]):
    """What arrived: ``history`` keeps all of it, ``take`` hands each item out once."""

    def __init__(self, name: str) -> None:
        self.history: list[Item] = []
        self._name = name
        self._waiting: list[Item] = []
        self._arrived = asyncio.Event()

    def put(self, item: Item) -> None:
        self.history.append(item)
        self._waiting.append(item)
        self._arrived.set()

    async def take(
        self,
        matches: Callable[[Item], bool] = lambda _: True,
        *,
        what: str = "anything",
        within_s: float = PATIENCE_S,
    ) -> Item:
        """Waits for the first item that matches. Raises ``TimeoutError`` saying what was missed."""
        try:
            async with asyncio.timeout(within_s):
                return await self._next(matches)
        except TimeoutError:
            message = f"{self._name} waited for {what}; there is {self._waiting}"
            raise TimeoutError(message) from None

    async def _next(self, matches: Callable[[Item], bool]) -> Item:
        while True:
            for index, item in enumerate(self._waiting):
                if matches(item):
                    return self._waiting.pop(index)
            self._arrived.clear()
            await self._arrived.wait()
