"""Shows clients that somebody in amoCRM is writing to them: live, or not at all."""

from __future__ import annotations

import asyncio
from typing import Final

from relay.app.channels import Channels
from relay.delivery.letters import Composing
from relay.delivery.ports import Clock
from relay.domain.ids import ChannelId, ClientAddress
from relay.domain.retry import SECOND

_MOST: Final = 16
_AGAIN_MS: Final = 4 * SECOND
"""amoCRM says it every five seconds while somebody types, and WhatsApp shows it for some more."""


class Typists:
    """Shows typing on the engines; what cannot be shown now is forgotten."""

    def __init__(self, channels: Channels, clock: Clock) -> None:
        self._channels = channels
        self._clock = clock
        self._waiting: asyncio.Queue[Composing] = asyncio.Queue(_MOST)
        self._shown_ms: dict[tuple[ChannelId, ClientAddress], int] = {}

    def show(self, composing: Composing) -> None:
        """Somebody is writing to a client."""
        now_ms = self._clock.now_ms()
        self._shown_ms = {
            who: at_ms for who, at_ms in self._shown_ms.items() if 0 <= now_ms - at_ms < _AGAIN_MS
        }
        who = (composing.channel, composing.to)
        if who in self._shown_ms or self._waiting.full():
            return
        self._shown_ms[who] = now_ms
        self._waiting.put_nowait(composing)

    async def run(self) -> None:
        """Show for ever."""
        while True:
            composing = await self._waiting.get()
            engine = self._channels.engine(composing.channel)
            if engine is not None:
                await engine.show_typing(composing.to)
