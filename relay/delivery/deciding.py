"""Looks again at what could not be decided when it came.

Sorting is a transaction and can ask nobody. So a hook whose author is unknown stays in the journal,
*held*, and so does whatever follows it in its conversation; nothing else waits. Here amoCRM is
asked, and what is held is sorted again when somebody has become known, when a channel has told its
number, when the file has changed, and when a message's time is over: then it is refused.

On the way into amoCRM a client's reaction is held that has come before WhatsApp's answer to the
sending of the message it is for. It is sorted again once there is an answer to a sending.
"""

from __future__ import annotations

import asyncio

from relay.delivery.letters import Held
from relay.delivery.notes import StillHeld
from relay.delivery.ports import Clock, Staff
from relay.delivery.sorter import Sorter
from relay.delivery.store import StoreRefusedError
from relay.domain.ids import CrmPersonId
from relay.domain.retry import MINUTE, SECOND

AGAIN_MS = MINUTE
"""Between two questions about one author."""

_ASKED_AT_ONCE = 64
_REFUSED_WAIT_MS = 500
_APART_MS = 5 * SECOND  # between two looks for messages whose time is over
_LOOK_AT_LEAST_EVERY_MS = 10 * MINUTE


class Deciding:
    """Keeps what is held from being held for longer than it must. One task runs it."""

    def __init__(self, sorter: Sorter, staff: Staff, clock: Clock) -> None:
        self._sorter = sorter
        self._staff = staff
        self._clock = clock
        self._woken = asyncio.Event()
        self._look = True  # an earlier life may have left something
        self._next_ms: int | None = None
        self._unknown: set[CrmPersonId] = set()
        self._asking: set[CrmPersonId] = set()

    def wake(self) -> None:
        """Something has become known: look at all that is held."""
        self._look = True
        self._woken.set()

    def hint(self) -> None:
        """Something has become known that may matter to what is held, if anything is."""
        if self._next_ms is not None:
            self.wake()

    def note(self, held: Held | None) -> None:
        """A message has just been held; None: perhaps one of which nobody could tell."""
        if held is None:
            self.wake()
            return
        if held.author is not None:
            self._unknown.add(held.author)
        self._next_ms = min(held.until_ms, self._next_ms or held.until_ms)
        self._woken.set()

    async def run(self) -> None:
        """Look, and ask, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                if self._look or self._late():
                    await self._sort()
                for author in self._strangers():
                    self._asking.add(author)
                    tasks.create_task(self._ask(author), name="author of a message")
                await self._wait()

    async def _sort(self) -> None:
        self._look = False
        try:
            still = await self._sorter.sort_held()
        except StoreRefusedError:
            await self._clock.sleep_ms(_REFUSED_WAIT_MS)
            self.wake()
            return
        self._take(still)

    def _take(self, still: StillHeld) -> None:
        self._next_ms, self._unknown = still.next_ms, set(still.authors)

    def _strangers(self) -> list[CrmPersonId]:
        """Those to be asked about now; the rest when there is room."""
        room = _ASKED_AT_ONCE - len(self._asking)
        return sorted(self._unknown - self._asking)[:room]

    async def _ask(self, author: CrmPersonId) -> None:
        try:
            await self._staff.refresh(author)
            if self._staff.knows(author):
                self.wake()
            else:
                await self._clock.sleep_ms(AGAIN_MS)
        finally:
            self._asking.discard(author)
            self._woken.set()

    def _late(self) -> bool:
        return self._next_ms is not None and self._clock.now_ms() >= self._next_ms

    async def _wait(self) -> None:
        if self._next_ms is None:
            await self._woken.wait()
            return
        pause = max(_APART_MS, self._next_ms - self._clock.now_ms())
        await self._clock.wait_ms(self._woken, min(pause, _LOOK_AT_LEAST_EVERY_MS))
