"""The pretended WhatsApp and the simulated engine on it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.app.clock import SystemClock
from relay.delivery.ports import StoreRefusedError
from relay.demo.cast import clients
from relay.demo.pretended_whatsapp import Exchange, SimulatedEngine, Tick, World
from relay.demo.pretended_whatsapp.payload import read_payload
from relay.demo.pretended_whatsapp.world import LONGEST_TEXT, UnfitError
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber
from relay.domain.message import (
    Content,
    Failure,
    Noise,
    Origin,
    Receipt,
    Received,
    Reply,
    Status,
    Text,
    Unsupported,
    WhatsAppEvent,
)
from relay.domain.outbox import Dead, Delivered, Retry, Unknown
from relay.domain.session import SessionState

NOW_MS = 1_750_000_000_000
ANNA = "79000000001"


def a_world() -> World:
    numbers = itertools.count(1)
    world = World(clients(), lambda: NOW_MS, lambda: f"M{next(numbers)}")
    world.line("sales")
    return world


def held(world: World) -> list[WhatsAppEvent]:
    """What WhatsApp holds for the linked device, in the relay's words."""
    return [event for thing in world.line("sales").held for event in read_payload(thing.raw)]


def ticks(world: World) -> list[Tick]:
    return [bubble.tick for bubble in world.bubbles]


def a_reply(text: str = "hello", to: str = ANNA, content: Content | None = None) -> Reply:
    return Reply(
        ConversationId("c"),
        CrmMessageId("m"),
        ChannelId("sales"),
        OwnNumber("74950000001"),
        ClientAddress(to),
        content or Text(text),
    )


# --- The world -----------------------------------------------------------------------------------


def test_a_clients_message_is_held_until_it_is_taken() -> None:
    """What a client writes waits for the linked device, and has one tick until that has it."""
    world = a_world()
    world.client_writes("anna", "sales", "hi")
    assert ticks(world) == [Tick.SENT]
    event = held(world)[0]
    assert isinstance(event, Received)
    assert (event.content, event.origin, event.client.phone) == (
        Text("hi"), Origin.CLIENT, f"+{ANNA}",
    )  # fmt: skip
    world.taken("sales")
    assert ticks(world) == [Tick.DELIVERED]
    assert held(world) == []


def test_what_the_owner_types_is_heard_by_the_linked_device() -> None:
    """A message typed on the handset comes as one of the phone, before its receipt."""
    world = a_world()
    world.owner_types("anna", "sales", "hi")
    message, receipt = held(world)
    assert isinstance(message, Received)
    assert message.origin is Origin.PHONE
    assert isinstance(receipt, Receipt)


def test_a_sent_message_is_delivered_at_once_and_read_when_the_chat_is_opened() -> None:
    """Receipts: delivered when the client's phone has it, read when its owner looks."""
    world = a_world()
    world.send("sales", ANNA, "hi")
    assert ticks(world) == [Tick.DELIVERED]
    world.client_reads("anna", "sales")
    assert ticks(world) == [Tick.READ]
    receipts = [event for event in held(world) if isinstance(event, Receipt)]
    assert [(r.ids, r.status) for r in receipts] == [
        (("M1",), Status.DELIVERED), (("M1",), Status.READ),
    ]  # fmt: skip


def test_a_phone_that_is_off_gets_its_messages_when_it_is_on() -> None:
    """A phone that is off gets and reads nothing; once it is on, all is delivered."""
    world = a_world()
    world.switch_client("anna", False)
    world.send("sales", ANNA, "hi")
    world.client_reads("anna", "sales")
    assert (ticks(world), held(world)) == ([Tick.SENT], [])
    world.switch_client("anna", True)
    assert ticks(world) == [Tick.DELIVERED]
    assert len(held(world)) == 1


def test_reading_twice_gives_one_receipt() -> None:
    """A receipt is given once for each step forward."""
    world = a_world()
    world.send("sales", ANNA, "hi")
    world.client_reads("anna", "sales")
    before = held(world)
    world.client_reads("anna", "sales")
    assert held(world) == before


def test_a_stranger_is_not_on_whatsapp() -> None:
    """A number that nobody has is not registered, and nothing is written to it."""
    world = a_world()
    assert world.send("sales", "79000000099", "hi") is None
    assert world.bubbles == []


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST_TEXT + 1)])
def test_a_message_has_text(text: str) -> None:
    """An empty or endless message is refused."""
    with pytest.raises(UnfitError):
        a_world().client_writes("anna", "sales", text)


def test_nobody_unknown_writes() -> None:
    """Unknown clients and channels, and a phone that is off, are refused in words."""
    world = a_world()
    world.switch_client("boris", False)
    for person, channel in (("nobody", "sales"), ("anna", "nowhere"), ("boris", "sales")):
        with pytest.raises(UnfitError):
            world.client_writes(person, channel, "hi")


def test_each_channel_has_a_number_for_good() -> None:
    """A channel keeps its number; another channel has another one."""
    world = a_world()
    first = world.line("sales").number
    assert world.line("support").number != first
    assert world.line("sales").number == first


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b'{"type":"message"}', b'{"type":"receipt","ids":[1]}', b"\xff"]
)
def test_nonsense_is_a_value_error(payload: bytes) -> None:
    """A payload that makes no sense raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r".+"):
        read_payload(payload)


def test_other_types_are_noise() -> None:
    """What is neither a message nor a receipt never enters amoCRM."""
    assert read_payload(b'{"type":"typing"}') == (Noise("typing"),)


# --- The engine ----------------------------------------------------------------------------------


@dataclass
class Relay:
    """The relay's side of the engine port: keeps what is handed over, and what is reported."""

    refusals: int = 0
    payloads: list[bytes] = field(default_factory=list)
    states: list[tuple[SessionState, OwnNumber | None]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, payload: bytes) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreRefusedError("full")
        self.payloads.append(payload)
        self.changed.set()

    def from_thread(self, payload: bytes) -> None:
        raise NotImplementedError

    def report(self, state: SessionState, reason: str, own: OwnNumber | None = None) -> None:
        self.states.append((state, own))
        self.changed.set()

    @property
    def state(self) -> SessionState | None:
        return self.states[-1][0] if self.states else None


class HastyClock(SystemClock):
    """Waits no longer than the loop needs to turn."""

    async def sleep_ms(self, duration_ms: int) -> None:
        await asyncio.sleep(0)


async def until(event: asyncio.Event, holds: object) -> None:
    """Back once ``holds()`` is true, asked after every change."""
    assert callable(holds)
    async with asyncio.timeout(5):
        while not holds():
            event.clear()
            await event.wait()


@asynccontextmanager
async def linked(world: World, directory: Path, relay: Relay) -> AsyncIterator[SimulatedEngine]:
    engine = SimulatedEngine("sales", directory / "wa.sock", HastyClock())
    async with Exchange(world, directory / "wa.sock"):
        task = asyncio.create_task(engine.run(relay, relay.report))
        await until(relay.changed, lambda: relay.state is SessionState.CONNECTED)
        yield engine
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_engine_tells_its_number(tmp_path: Path) -> None:
    """Connecting, then connected with the channel's own number."""
    relay = Relay()
    async with linked(a_world(), tmp_path, relay):
        assert relay.states == [
            (SessionState.CONNECTING, None), (SessionState.CONNECTED, OwnNumber("74950000001")),
        ]  # fmt: skip


async def test_messages_come_in_order_and_are_taken(tmp_path: Path) -> None:
    """Everything held, then everything new, in order, and WhatsApp lets go of each once taken."""
    world, relay = a_world(), Relay()
    world.client_writes("anna", "sales", "one")
    async with linked(world, tmp_path, relay) as engine:
        world.client_writes("anna", "sales", "two")
        await until(relay.changed, lambda: len(relay.payloads) == 2)
        events = [event for payload in relay.payloads for event in engine.read(payload)]
        assert [e.content for e in events if isinstance(e, Received)] == [Text("one"), Text("two")]
        gone = asyncio.Event()
        world.on_change(gone.set)
        await until(gone, lambda: not world.line("sales").held)


async def test_what_the_disk_refused_is_handed_over_again(tmp_path: Path) -> None:
    """A refused payload is offered until it is kept, once."""
    world, relay = a_world(), Relay(refusals=3)
    async with linked(world, tmp_path, relay):
        world.client_writes("anna", "sales", "one")
        await until(relay.changed, lambda: relay.payloads)
        assert len(relay.payloads) == 1


async def test_sending(tmp_path: Path) -> None:
    """A sent message is delivered under WhatsApp's id and stands in the client's chat."""
    world = a_world()
    async with linked(world, tmp_path, Relay()) as engine:
        outcome = await engine.send(a_reply("hello"))
        assert outcome == Delivered(world.bubbles[0].id)
        assert (world.bubbles[0].text, world.bubbles[0].author) == ("hello", "relay")


async def test_sending_to_a_stranger_is_dead(tmp_path: Path) -> None:
    """A number that is not on WhatsApp is told as 904."""
    async with linked(a_world(), tmp_path, Relay()) as engine:
        outcome = await engine.send(a_reply(to="79000000099"))
        assert isinstance(outcome, Dead)
        assert outcome.failure is Failure.NO_SUCH_CLIENT


async def test_sending_what_is_not_text_is_dead(tmp_path: Path) -> None:
    """The simulated engine carries text alone, and says so."""
    async with linked(a_world(), tmp_path, Relay()) as engine:
        assert isinstance(await engine.send(a_reply(content=Unsupported("image"))), Dead)


async def test_a_line_that_is_cut_off_retries_and_recovers(tmp_path: Path) -> None:
    """Without WhatsApp nothing is sent, and what comes is held until it is back."""
    world, relay = a_world(), Relay()
    async with linked(world, tmp_path, relay) as engine:
        world.switch_line("sales", False)
        await until(relay.changed, lambda: relay.state is SessionState.RECONNECTING)
        assert isinstance(await engine.send(a_reply()), Retry)
        world.client_writes("anna", "sales", "later")
        assert len(world.line("sales").held) == 1
        world.switch_line("sales", True)
        await until(relay.changed, lambda: relay.payloads)
    assert [bubble.author for bubble in world.bubbles] == ["client"]


async def test_an_engine_that_does_not_run_retries(tmp_path: Path) -> None:
    """Before the session stands nothing is sent."""
    engine = SimulatedEngine("sales", tmp_path / "wa.sock", HastyClock())
    assert isinstance(await engine.send(a_reply()), Retry)


async def test_without_whatsapp_the_run_fails(tmp_path: Path) -> None:
    """A WhatsApp that cannot be reached ends the run, so that its supervisor starts it again."""
    relay = Relay()
    with pytest.raises(FileNotFoundError):
        await SimulatedEngine("sales", tmp_path / "wa.sock", HastyClock()).run(relay, relay.report)


async def test_a_break_while_sending_is_unknown(tmp_path: Path) -> None:
    """If the connection breaks before the answer, nobody knows whether the message arrived."""
    heard = asyncio.Event()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"session": {"online": true, "own": "74950000001"}}\n')
        await reader.readline()
        writer.close()
        heard.set()

    relay = Relay()
    server = await asyncio.start_unix_server(swallow, tmp_path / "wa.sock")
    async with server:
        engine = SimulatedEngine("sales", tmp_path / "wa.sock", HastyClock())
        run = asyncio.create_task(engine.run(relay, relay.report))
        await until(relay.changed, lambda: relay.state is SessionState.CONNECTED)
        assert isinstance(await engine.send(a_reply()), Unknown)
        with pytest.raises(ConnectionResetError):
            await run
        await heard.wait()
