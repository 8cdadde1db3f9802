"""What the chain of rules costs a message."""

from __future__ import annotations

import timeit
from collections.abc import Iterator

from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    UserId,
)
from relay.domain.incoming import Incoming, decide_incoming
from relay.domain.message import Received, Written
from relay.domain.outgoing import Outgoing, decide_outgoing
from relay.domain.routing import Manager
from relay.domain.settings import Channel, Settings
from tests.bench.report import Figure
from tests.bench.rig import BenchEngine, payload

TIMES, ROUNDS = 20_000, 5


def rules() -> Iterator[Figure]:
    """The best of a few rounds."""
    (message,) = BenchEngine().read(payload(1, 1))
    assert isinstance(message, Received)
    incoming, settings = Incoming(message), Settings()
    took = timeit.repeat(lambda: decide_incoming(incoming, settings), number=TIMES, repeat=ROUNDS)
    yield Figure("rules into amoCRM, µs a message", "", f"{min(took) / TIMES * 1e6:.1f}")
    outgoing, busy = _outgoing()
    took = timeit.repeat(lambda: decide_outgoing(outgoing, busy), number=TIMES, repeat=ROUNDS)
    yield Figure("rules out of amoCRM, µs a message", "", f"{min(took) / TIMES * 1e6:.1f}")


def _outgoing() -> tuple[Outgoing, Settings]:
    """A signed answer of the last of a thousand users, through one of fifty channels."""
    channels = [
        Channel(ChannelId(f"c{n}"), f"Channel {n}", OwnNumber(f"7495{n:07}")) for n in range(50)
    ]
    users = {
        UserId(n): Manager((channels[n % 50].id, channels[0].id), f"User {n}") for n in range(1000)
    }
    settings = Settings(channels={channel.id: channel for channel in channels}, users=users)
    written = Written(
        id=CrmMessageId("m"),
        chat=CrmChatId("c"),
        conversation=None,
        author=CrmPersonId("u"),
        client=CrmPersonId("p"),
        phone=None,
        content=Text("Добрый день"),
        written_at_ms=0,
    )
    address = ClientAddress("79001234567")
    writer = settings.writer(UserId(999))
    return Outgoing(written, writer, channels[49].own, address, phone=address), settings
