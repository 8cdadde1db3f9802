"""Typing is shown before a message, for as long as the file says, and holds nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from relay.app.channels import ChannelCourier, Channels
from relay.delivery.ports import HandOver, Report
from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmMessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Reply, WhatsAppEvent
from relay.domain.outbox import Delivered, Destination, Entry, EntryId, EntryState, Letter, Outcome
from relay.domain.session import SessionState
from tests.clock import HandClock, settle

SALES = ChannelId("sales")


class TypingEngine:
    """Writes down what it is asked to do."""

    can_check = False

    def __init__(self) -> None:
        self.did: list[str] = []
        self.state = SessionState.CONNECTED

    async def run(self, hand_over: HandOver, report: Report) -> None:
        del hand_over
        report(self.state, "as the test wills")
        await asyncio.Event().wait()

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        raise ValueError(payload)

    async def send(self, reply: Reply) -> Outcome:
        self.did.append(f"send {reply.to}")
        return Delivered("id")

    async def show_typing(self, reply: Reply) -> None:
        self.did.append(f"type {reply.to}")

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        del reply
        return ()

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        return dict.fromkeys(numbers)


def entry(to: str) -> Entry:
    own = OwnNumber("74950000001")
    conversation = ConversationId(f"wa-{own}-{to}")
    reply = Reply(conversation, CrmMessageId(to), SALES, own, ClientAddress(to), Text("x"))
    letter = Letter(to, to, Destination.WHATSAPP, reply, "t", SALES, 0, 10_000)
    return Entry(EntryId(1), letter, EntryState.BEGUN, 0, 0)


class Scene:
    """A courier to one running channel; ``typing_ms`` may change at any time, as the file may."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.engine = TypingEngine()
        self.typing_ms = 3_000
        self.channels = Channels(self.clock, lambda: 0.5, lambda _: _nowhere)
        self.courier = ChannelCourier(self.channels, self.clock, lambda _: self.typing_ms)


class _Nowhere:
    async def __call__(self, payload: bytes) -> None:
        raise AssertionError(payload)

    def from_thread(self, payload: bytes) -> None:
        raise AssertionError(payload)


_nowhere = _Nowhere()


async def deliver(scene: Scene, *clients: str) -> None:
    """Run the channel, give the courier those letters at once, and let ten seconds pass."""
    scene.channels.add(SALES, scene.engine)
    async with asyncio.TaskGroup() as tasks:
        scene.channels.start(SALES, tasks)
        await scene.channels.started()
        attempts = [tasks.create_task(scene.courier.deliver(entry(to))) for to in clients]
        await settle()
        scene.engine.did.append("-")
        await scene.clock.advance_ms(2_999)
        scene.engine.did.append("-")
        await scene.clock.advance_ms(1)
        await asyncio.gather(*attempts)
        await scene.channels.stop()


async def test_typing_comes_first_and_for_so_long() -> None:
    """Shown at once, the message after the time of the file; two clients do not wait in turn."""
    scene = Scene()
    await deliver(scene, "1", "2")
    assert scene.engine.did == ["type 1", "type 2", "-", "-", "send 1", "send 2"]


async def test_without_typing_a_message_goes_at_once() -> None:
    """Off, as it is by default: nothing is shown and nothing waits."""
    scene = Scene()
    scene.typing_ms = 0
    await deliver(scene, "1")
    assert scene.engine.did == ["send 1", "-", "-"]


async def test_nothing_is_typed_into_a_dead_line() -> None:
    """Without a connection the attempt is made at once, to learn that it cannot be."""
    scene = Scene()
    scene.engine.state = SessionState.RECONNECTING
    await deliver(scene, "1")
    assert scene.engine.did == ["send 1", "-", "-"]
