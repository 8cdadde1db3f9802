"""Whether a channel's session may be used as its file stands, and the wait until it may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from relay.delivery.ports import Clock
from relay.domain.ids import ChannelId
from relay.domain.retry import SECOND
from relay.domain.session import SessionState
from relay.whatsapp.linked_device.standing import Standing
from relay.whatsapp.linked_device.store import SessionDamagedError, SessionStore
from relay.whatsapp.linked_device.threads import on_own_thread

LOOK_MS = 15 * SECOND


class Paired:
    """Looks into the file; ``phone``, if set, is the only number that may be in it."""

    def __init__(
        self,
        channel: ChannelId,
        store: SessionStore,
        phone: str | None,
        clock: Clock,
        standing: Standing,
    ) -> None:
        self._channel = channel
        self._store = store
        self._phone = "".join(filter(str.isdigit, phone)) if phone else None
        self._clock = clock
        self._standing = standing
        self._woken = asyncio.Event()

    def look(self) -> None:
        """Somebody has paired the channel."""
        self._woken.set()

    async def wait(self, before: Callable[[], Awaitable[None]]) -> bool:
        """Back once the file holds a device that may be used; whether that took time.

        ``before`` each look something is to be done.
        """
        waited = False
        while True:
            self._woken.clear()
            await before()
            obstacle = await on_own_thread("session-file", self._obstacle)
            if obstacle is None:
                return waited
            waited = True
            state, reason = obstacle
            if (self._standing.state, state) != (SessionState.LOGGED_OUT, SessionState.UNPAIRED):
                self._standing.tell(state, reason)
            await self._clock.wait_ms(self._woken, LOOK_MS)

    async def rest(self, most_ms: int) -> None:
        """That long, or until somebody has paired the channel."""
        self._woken.clear()
        await self._clock.wait_ms(self._woken, most_ms)

    def _obstacle(self) -> tuple[SessionState, str] | None:
        """Why the session cannot be used as its file stands; None if it can."""
        try:
            number = self._store.own_number()
        except SessionDamagedError:
            return (
                SessionState.FAILED,
                f"the session's file is damaged: remove it and run relay pair {self._channel}",
            )
        self._standing.own = number
        if number is None:
            return SessionState.UNPAIRED, f"pair it: relay pair {self._channel}"
        if self._phone is not None and number != self._phone:
            return (
                SessionState.FAILED,
                f"another number is paired than the file's phone: relay unpair {self._channel}",
            )
        return None
