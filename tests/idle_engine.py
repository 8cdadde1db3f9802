"""An engine that is connected, and that is all: what a test's own engine begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from relay.delivery.ports import (
    Engine,
    HandOver,
    MediaGoneError,
    MediaUnavailableError,
    MediaWriter,
    Report,
)
from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.ids import ClientAddress, WhatsAppMessageId
from relay.domain.message import WhatsAppEvent
from relay.domain.outbox import Outcome, Retry
from relay.domain.session import SessionState


class IdleEngine(Engine):
    """Hears nothing, sends nothing, knows nothing."""

    can_check = False

    async def run(self, hand_over: HandOver, report: Report) -> None:
        report(SessionState.CONNECTED, "connected")
        await asyncio.Event().wait()

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        raise ValueError(payload)

    async def prepare(self, reply: Reply) -> Outcome | None:
        return None

    async def send(self, reply: Reply) -> Outcome:
        return Retry("idle")

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        raise MediaUnavailableError(ref)

    async def avatar(self, of: ClientAddress, write: MediaWriter) -> None:
        raise MediaGoneError(of)

    async def react(self, reaction: ReplyReaction) -> Outcome:
        return Retry("idle")

    async def show_typing(self, to: ClientAddress) -> None:
        """Nobody sees it."""

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        return ()

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        return dict.fromkeys(numbers)
