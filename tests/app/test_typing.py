"""Which channel shows typing, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from relay.app.channels import ChannelCourier, Channels
from relay.delivery.ports import HandOver, Report
from relay.domain.bodies import Reply
from relay.domain.contents import Media, MediaKind, Remote, Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmMessageId,
    OwnNumber,
)
from relay.domain.outbox import (
    Dead,
    Delivered,
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
    Outcome,
)
from relay.domain.reasons import Reason
from relay.domain.session import SessionState
from tests.clock import HandClock
from tests.idle_engine import IdleEngine

SALES = ChannelId("sales")


class TypingEngine(IdleEngine):
    """Writes down what it is asked to do."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.state = SessionState.CONNECTED

    async def run(self, hand_over: HandOver, report: Report) -> None:
        del hand_over
        report(self.state, "as the test wills")
        await asyncio.Event().wait()

    async def send(self, reply: Reply) -> Outcome:
        self.did.append(f"send {reply.to}")
        return Delivered("id")

    async def show_typing(self, to: ClientAddress) -> None:
        self.did.append(f"type {to}")


def entry(to: str) -> Entry:
    own = OwnNumber("74950000001")
    conversation = ConversationId(f"wa-{own}-{to}")
    reply = Reply(conversation, CrmMessageId(to), SALES, own, ClientAddress(to), Text("x"))
    letter = Letter(to, to, Destination.WHATSAPP, reply, "t", SALES, 0, 10_000)
    return Entry(EntryId(1), letter, EntryState.BEGUN, 0, 0)


class Nowhere:
    async def __call__(self, payload: bytes) -> None:
        raise AssertionError(payload)

    def from_thread(self, payload: bytes) -> None:
        raise AssertionError(payload)


@asynccontextmanager
async def running(engine: TypingEngine) -> AsyncIterator[Channels]:
    """A channel with that engine."""
    channels = Channels(HandClock(), lambda: 0.5, lambda _: Nowhere())
    channels.add(SALES, engine)
    async with asyncio.TaskGroup() as tasks:
        channels.start(SALES, tasks)
        await channels.started()
        yield channels
        await channels.stop()


async def test_typing_is_the_channels_and_may_change_at_any_time() -> None:
    """For as long as the file says for that channel, by its own engine, to that client."""
    engine, shown = TypingEngine(), {SALES: 3_000}
    async with running(engine) as channels:
        courier = ChannelCourier(channels, lambda id_: shown[id_])
        assert courier.lead_ms(entry("1")) == 3_000
        await courier.lead_in(entry("1"))
        shown[SALES] = 0
        assert courier.lead_ms(entry("1")) == 0
    assert engine.did == ["type 1"]


async def test_nothing_is_typed_into_a_dead_line() -> None:
    """Without a connection the attempt is made at once, to learn that it cannot be."""
    engine = TypingEngine()
    engine.state = SessionState.RECONNECTING
    async with running(engine) as channels:
        assert ChannelCourier(channels, lambda _: 3_000).lead_ms(entry("1")) == 0


async def test_a_file_that_never_came_ends_its_message_before_anything_is_seen() -> None:
    """Nothing is typed, begun or sent, and the manager is told what to do."""
    engine, waiting = TypingEngine(), entry("1")
    assert isinstance(waiting.letter.body, Reply)
    body = replace(waiting.letter.body, content=Media(MediaKind.IMAGE, Remote("link")))
    async with running(engine) as channels:
        courier = ChannelCourier(channels)
        outcome = await courier.prepare(replace(waiting, letter=replace(waiting.letter, body=body)))
        assert isinstance(outcome, Dead)
        assert outcome.tell == Reason.FILE_MISSING
        assert await courier.prepare(waiting) is None
    assert engine.did == []
