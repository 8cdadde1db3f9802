"""Which engine a channel of the file gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relay.config.channel import Channel, LinkedDevice
from relay.delivery.ports import (
    Clock,
    Engine,
    HandOver,
    KeptFiles,
    MediaUnavailableError,
    MediaWriter,
    Report,
)
from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.ids import ChannelId, ClientAddress, WhatsAppMessageId
from relay.domain.message import WhatsAppEvent
from relay.domain.outbox import Outcome, Retry
from relay.domain.session import SessionState

EngineFactory = Callable[[ChannelId, Channel, Path, Clock, KeptFiles], Engine]
"""Makes the engine of a channel; the path is the storage directory. Touches nothing that runs."""


def real_engine(
    id_: ChannelId, channel: Channel, storage: Path, clock: Clock, files: KeptFiles
) -> Engine:
    """The engine that the file asks for."""
    if isinstance(channel, LinkedDevice):
        # Imported here: it loads a library of 15 MB, which a relay without such a channel spares.
        from relay.whatsapp.linked_device.engine import (  # noqa: PLC0415
            LinkedDevice as LinkedDeviceEngine,
        )

        return LinkedDeviceEngine(
            id_,
            session_path(storage, id_),
            phone=channel.phone,
            proxy=channel.proxy.reveal() if channel.proxy else None,
            clock=clock,
            kept=files.path,
            throttle=files.throttle,
            import_history_ms=channel.import_history_ms,
        )
    return NotBuiltYet(channel.engine)


def session_path(storage: Path, id_: ChannelId) -> Path:
    """Where a linked device keeps its session."""
    return storage / "sessions" / f"{id_}.db"


class NotBuiltYet:
    """Stands for an engine that this version only knows by name: it says so, and sends nothing."""

    can_check = False

    def __init__(self, name: str) -> None:
        self._words = f"engine {name} is not part of this version yet"

    async def run(self, hand_over: HandOver, report: Report) -> None:
        """Say so, and wait."""
        del hand_over
        report(SessionState.FAILED, self._words)
        await asyncio.Event().wait()

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        """There is nothing that it could have handed over."""
        raise ValueError(f"{self._words}: {len(payload)} bytes cannot be read")

    async def prepare(self, reply: Reply) -> Outcome | None:
        """There is nothing to bring."""
        del reply
        return None

    async def send(self, reply: Reply) -> Outcome:
        """Not now."""
        del reply
        return Retry(self._words)

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """Not now."""
        del ref, write
        raise MediaUnavailableError(self._words)

    async def avatar(self, of: ClientAddress, write: MediaWriter) -> None:
        """Not now."""
        del of, write
        raise MediaUnavailableError(self._words)

    async def react(self, reaction: ReplyReaction) -> Outcome:
        """Not now."""
        del reaction
        return Retry(self._words)

    async def show_typing(self, to: ClientAddress) -> None:
        """It has no way to."""
        del to

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        """Nobody knows."""
        del reply
        return ()

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        """It cannot be found out."""
        return dict.fromkeys(numbers)
