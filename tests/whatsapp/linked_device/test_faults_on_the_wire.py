"""Faults of the service and of the network, with the real library: each has its one meaning.

It proves what the engine and the library do, not what WhatsApp accepts.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from relay.domain.contents import Text
from relay.domain.message import Origin
from tests.whatsapp.linked_device.engine_process import EngineProcess
from tests.whatsapp.linked_device.scene import Scene, connected, scene
from tests.whatsapp_server import LinkedDevice
from tests.whatsapp_server.harness import RealClient
from tests.whatsapp_server.node import node

Live = tuple[Scene, EngineProcess]
ANNA = "79161234567"
DAY_S = 24 * 3600


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with connected(tmp_path) as pair:
        yield pair


# --- A line that breaks in the middle of a send ---------------------------------------------------

STEPS: dict[str, Callable[[LinkedDevice], None]] = {
    "asking for the hidden address and the devices": lambda d: d.drop_at_next_request("usync"),
    "fetching keys": lambda d: d.drop_at_next_request("encrypt"),
    "saying the message": lambda d: d.drop_before_next_ack(delivered=False),
    "waiting for the answer": lambda d: d.drop_before_next_ack(),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_line_that_breaks_while_sending(live: Live, step: str) -> None:
    """What is told as delivered was read once; what is told as not sent was not read at all.

    And where it was not sent it can be: the next attempt arrives. The client reads nothing twice.
    """
    there, engine = live
    STEPS[step](there.device)
    outcome = await engine.send(ANNA, "once")
    assert outcome["kind"] in ("Delivered", "Retry")
    texts = [heard.text for heard in there.anna.messages.history]
    if outcome["kind"] == "Retry":
        assert texts == []
        await there.device.online()
        await engine.state("connected")
        assert (await engine.send(ANNA, "once"))["kind"] == "Delivered"
    assert (await there.anna.received("once")).text == "once"
    assert [heard.text for heard in there.anna.messages.history] == ["once"]


# --- What the service may say ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "attributes"), [(418, {}), (777, {}), (402, {"code": "199", "expire": "60"})]
)
async def test_a_refusal_that_the_library_cannot_tell(
    tmp_path: Path, reason: int, attributes: dict[str, str]
) -> None:
    """A number it has no name for ends its stream of events; the session is tried again."""
    async with scene(tmp_path) as there:
        there.device.fail_next_login(reason, **attributes)
        async with there.engine() as engine:
            assert "stream ended" in (await engine.state("reconnecting"))["reason"]
            await engine.state("connected")
            assert (await engine.send(ANNA, "there again"))["kind"] == "Delivered"


@pytest.mark.parametrize(("reason", "words"), [(401, "removed on the phone"), (403, "locked")])
async def test_a_logout_before_the_library_has_looked_whose_it_is(
    tmp_path: Path, reason: int, words: str
) -> None:
    """The library never tells of it; its log does, and the channel waits for a pairing."""
    async with scene(tmp_path) as there:
        there.device.fail_next_login(reason)
        # While it prints, its garbage collector would hold up all the rest of it.
        environment = {**there.server.environment(), "HOLD_LIBRARY": "1", "GOGC": "off"}
        async with there.engine(environment) as engine:
            assert words in (await engine.state("logged_out"))["reason"]
            assert await engine.stop() == 0


@pytest.mark.parametrize("kind", ["server-error", "weather"])
async def test_a_receipt_that_the_library_cannot_tell(live: Live, kind: str) -> None:
    """It ends the stream of events: the line is closed, and what comes from then on arrives.

    The library has confirmed it, else WhatsApp would repeat it, and end every stream by it.
    """
    there, engine = live
    now, anna = str(int(time.time())), there.anna.lid
    await there.device.deliver(node("receipt", id="3EB0FF", type=kind, from_=anna, t=now))
    await there.device.offline()
    await there.anna.send(there.phone, "after it")
    assert (await engine.message()).content == Text("after it")
    await there.device.until(lambda: not there.device.waiting, "confirm")


async def test_a_clock_that_is_wrong(tmp_path: Path) -> None:
    """WhatsApp's certificates seem not valid yet: that is the reason, until the clocks agree."""
    async with scene(tmp_path) as there:
        there.server.set_clock(ahead_s=3 * DAY_S)
        async with there.engine() as engine:
            line = await engine.state("reconnecting")
            assert line["reason"].startswith("cannot connect: ")
            assert "cert" in line["reason"]
            there.server.set_clock(ahead_s=0)
            await engine.state("connected")


@pytest.mark.parametrize("at_s", [1_000_000_000, 4_000_000_000])
async def test_a_message_has_the_time_that_whatsapp_gave_it(live: Live, at_s: int) -> None:
    """However far that is from ours, in the past or in the future."""
    there, engine = live
    await there.anna.send(there.phone, "some time", at_s=at_s)
    assert (await engine.message()).sent_at_ms == at_s * 1000


async def test_what_another_linked_device_sends_is_the_owners(live: Live, tmp_path: Path) -> None:
    """Somebody answers in WhatsApp Web elsewhere: it is told as sent by the phone's owner."""
    there, engine = live
    store = tmp_path / "another.db"
    async with RealClient(there.server.environment(), store) as another:
        await there.phone.scan(await another.qr())
        await another.connected()
        await another.send(ANNA, "from a computer")
        event = await engine.message()
    assert (event.content, event.origin) == (Text("from a computer"), Origin.PHONE)
    assert event.client.address == ANNA
    assert event.client.name is None
