"""The simulated engine on the pretended WhatsApp, behind the relay's port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.app.clock import SystemClock
from relay.delivery.ports import MediaGoneError
from relay.delivery.store import StoreRefusedError
from relay.demo.pretended_whatsapp import (
    Exchange,
    SimulatedEngine,
    World,
)
from relay.domain.contents import (
    Text,
    Unsupported,
)
from relay.domain.ids import ClientAddress, OwnNumber
from relay.domain.message import Client, Failure, Received
from relay.domain.outbox import Dead, Delivered, Retry, Unknown
from relay.domain.session import SessionState
from tests.demo.pretended_whatsapp.samples import ANNA, a_reply, a_world
from tests.whatsapp.engine_contract import EngineContract


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
    async with asyncio.timeout(60):
        while not holds():
            event.clear()
            await event.wait()


def kept(name: str) -> Path:
    """A relay that keeps whatever lies in the directory of the name."""
    if name == "gone":
        raise MediaGoneError(name)
    return Path(name)


@asynccontextmanager
async def linked(world: World, directory: Path, relay: Relay) -> AsyncIterator[SimulatedEngine]:
    engine = SimulatedEngine("sales", directory / "wa.sock", HastyClock(), kept)
    async with Exchange(world, directory / "wa.sock"):
        task = asyncio.create_task(engine.run(relay, relay.report))
        await until(relay.changed, lambda: relay.state is SessionState.CONNECTED)
        yield engine
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class SimulatedRig:
    """Implements :class:`tests.whatsapp.engine_contract.Rig`."""

    engine: SimulatedEngine
    world: World
    own = OwnNumber("74950000001")
    client = Client(ClientAddress(ANNA), f"+{ANNA}", "Анна")

    async def client_writes(self, text: str) -> None:
        self.world.client_writes("anna", "sales", text)

    def seen_by_client(self) -> list[str]:
        return [bubble.text for bubble in self.world.bubbles if bubble.author == "relay"]


class TestContract(EngineContract):
    """The simulated engine is an engine."""

    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[SimulatedRig]:
        world, path = a_world(), tmp_path / "wa.sock"
        async with Exchange(world, path):
            yield SimulatedRig(SimulatedEngine("sales", path, HastyClock(), kept), world)


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


async def test_whatsapp_out_of_reach_takes_nothing(tmp_path: Path) -> None:
    """A device that sends although it was told that WhatsApp is out of reach is answered so."""
    world, path = a_world(), tmp_path / "wa.sock"
    world.switch_line("sales", False)
    async with Exchange(world, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"hello": "sales"}\n')
        writer.write(b'{"send": {"tag": 1, "to": "79000000001", "text": "hi"}}\n')
        async with asyncio.timeout(60):
            session, sent = await reader.readline(), await reader.readline()
        writer.close()
    assert b'"online": false' in session
    assert b'"offline"' in sent
    assert world.bubbles == []


@pytest.mark.parametrize("nonsense", [b"\xff\n", b"[]\n", b"{}\n", b"x" * 300_000])
async def test_a_device_that_talks_nonsense_is_sent_away(tmp_path: Path, nonsense: bytes) -> None:
    """Whatever a device says, WhatsApp lives on, and the next device is served."""
    world, path = a_world(), tmp_path / "wa.sock"
    async with Exchange(world, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(nonsense)
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        assert not world.line("sales").linked


async def test_an_engine_that_does_not_run_retries(tmp_path: Path) -> None:
    """Before the session stands nothing is sent."""
    engine = SimulatedEngine("sales", tmp_path / "wa.sock", HastyClock(), kept)
    assert isinstance(await engine.send(a_reply()), Retry)


async def test_without_whatsapp_the_run_fails(tmp_path: Path) -> None:
    """A WhatsApp that cannot be reached ends the run, so that its supervisor starts it again."""
    relay = Relay()
    with pytest.raises(FileNotFoundError):
        await SimulatedEngine("sales", tmp_path / "wa.sock", HastyClock(), kept).run(
            relay, relay.report
        )


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
        engine = SimulatedEngine("sales", tmp_path / "wa.sock", HastyClock(), kept)
        run = asyncio.create_task(engine.run(relay, relay.report))
        await until(relay.changed, lambda: relay.state is SessionState.CONNECTED)
        assert isinstance(await engine.send(a_reply()), Unknown)
        with pytest.raises(ConnectionResetError):
            await run
        await heard.wait()
