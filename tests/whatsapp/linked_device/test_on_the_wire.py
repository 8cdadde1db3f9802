"""The engine with the real library against our own WhatsApp server, each in its own process.

It proves what the engine and the library do, not what WhatsApp accepts.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from relay.domain.contents import (
    ContactCard,
    Contacts,
    Location,
    Media,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.message import (
    Noise,
    Origin,
    Received,
    Status,
)
from relay.whatsapp.linked_device.reading import placeholder_id
from relay.whatsapp.linked_device.sealed import Sealed
from tests.whatsapp.linked_device.engine_process import EngineProcess
from tests.whatsapp.linked_device.scene import OWN, Scene, connected, scene
from tests.whatsapp_server import WhatsAppServer, content
from tests.whatsapp_server.contact import Addressing
from tests.whatsapp_server.media import Sealed as OnHost
from tests.whatsapp_server.node import Attribute, Node, node
from tests.whatsapp_server.person import new_id

Live = tuple[Scene, EngineProcess]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with connected(tmp_path) as pair:
        yield pair


def texts(events: list[object]) -> list[str]:
    return [
        event.content.text
        for event in events
        if isinstance(event, Received) and isinstance(event.content, Text)
    ]


# --- Texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("addressing", ["lid", "pn", "pn_alone"])
async def test_a_text_comes_in_however_it_is_addressed(live: Live, addressing: Addressing) -> None:
    """By hidden identity or by number: the same client, the same id, the exact text, its time."""
    there, engine = live
    id_ = await there.anna.send(
        there.phone, "Привет\n😀", addressing=addressing, at_s=1_770_000_000
    )
    event = await engine.message()
    assert event.content == Text("Привет\n😀")
    assert (event.id, event.own, event.sent_at_ms) == (id_, OWN, 1_770_000_000_000)
    assert event.origin is Origin.CLIENT
    assert (event.client.address, event.client.phone) == ("79161234567", "+79161234567")
    assert event.client.name == "Анна"


async def test_a_text_goes_out_and_its_receipts_come_back(live: Live) -> None:
    """The client sees the exact text; delivered and read are told under the id of the send."""
    there, engine = live
    text = "Здравствуйте, @79990000000!\n\n😀 https://example.com"
    outcome = await engine.send("79161234567", text)
    assert outcome["kind"] == "Delivered"
    heard = await there.anna.received(text)
    assert heard.id == outcome["reference"]
    await there.anna.receipt(heard)
    delivered = await engine.receipt()
    assert (delivered.ids, delivered.status) == ((heard.id,), Status.DELIVERED)
    await there.anna.receipt(heard, "read", addressing="pn")
    read = await engine.receipt()
    assert (read.ids, read.status) == ((heard.id,), Status.READ)


async def test_no_message_is_marked_as_a_robots(tmp_path: Path) -> None:
    """The mark that the library adds by itself is off, whoever started the process how."""
    async with scene(tmp_path) as there:
        environment = there.server.environment()
        del environment["NEONIZE_BOT_TAG"]
        async with there.engine(environment) as engine:
            await engine.state("connected")
            await engine.send("79161234567", "hello")
            heard = await there.anna.received("hello")
            assert not list(heard.stanza.all("bot"))


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_what_the_owner_types_is_his(live: Live, addressing: str) -> None:
    """A text typed on the phone is told as the phone's, in the client's conversation."""
    there, engine = live
    await there.phone.send(there.anna, "from the phone", addressing=addressing)  # type: ignore[arg-type] # one of two words
    event = await engine.message()
    assert event.origin is Origin.PHONE
    assert (event.content, event.client.address) == (Text("from the phone"), "79161234567")
    assert event.client.name is None


@pytest.mark.parametrize("text", ["ы" * 500_000, "\x00\x01\x7f\u2028\ufeff"])
async def test_strange_texts_arrive_whole(live: Live, text: str) -> None:
    """A megabyte, control characters: what was written is what is read."""
    there, engine = live
    await there.anna.send(there.phone, text)
    assert (await engine.message()).content == Text(text)


async def test_invalid_utf8_does_not_end_the_stream(live: Live) -> None:
    """A text that is not UTF-8 is repaired, and the next one arrives."""
    there, engine = live
    await there.anna.send(there.phone, b"\x0a\x04\xff\xfeab")
    assert (await engine.message()).content == Text("\ufffd\ufffdab")
    await there.anna.send(there.phone, "next")
    assert (await engine.message()).content == Text("next")


async def test_places_and_cards_are_read(live: Live) -> None:
    """A place with its name, a card with its numbers."""
    there, engine = live
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:Пётр\nTEL;waid=79990000002:+7 999 000-00-02\nEND:VCARD"
    await there.anna.send(there.phone, content.location(55.7, 37.6, "Склад"))
    await there.anna.send(there.phone, content.contact_card("Пётр", card))
    assert (await engine.message()).content == Location(55.7, 37.6, "Склад")
    expected = Contacts((ContactCard("Пётр", ("+7 999 000-00-02",)),))
    assert (await engine.message()).content == expected


async def test_media_are_read(live: Live) -> None:
    """A voice message and a document, with the way to their bytes on the media host."""
    there, engine = live
    media = there.server.media
    sound = media.message("audio", b"OggS", "audio/ogg; codecs=opus", voice=True)
    paper = media.message("document", b"%PDF", "application/pdf", caption="see", name="a.pdf")
    await there.anna.send(there.phone, sound)
    await there.anna.send(there.phone, paper)
    voice, document = (await engine.message()).content, (await engine.message()).content
    assert isinstance(voice, Media)
    assert (voice.what, voice.mime, voice.size) == ("voice", "audio/ogg; codecs=opus", 4)
    assert isinstance(document, Media)
    assert (document.what, document.name, document.caption) == ("document", "a.pdf", "see")
    assert isinstance(document.at, Remote)
    sealed = Sealed.parse(document.at.ref)
    assert OnHost(sealed.key, media.blob(sealed.path)).opened("document") == b"%PDF"


async def test_a_group_is_noise(live: Live) -> None:
    """What is written in a group is handed over and says "group", never a client."""
    there, engine = live
    group = there.server.group("Team", there.phone, there.anna)
    await group.send(there.anna, "to everybody")
    noise = await engine.heard.take(lambda event: isinstance(event, Noise), what="noise")
    assert noise == Noise("group")


async def test_an_undecryptable_message_is_filled_in(live: Live) -> None:
    """Its placeholder comes at once under an id of its own; the text follows under the plain id."""
    there, engine = live
    await there.anna.send(there.phone, "a session to begin with")
    await engine.message()
    number = new_id()
    stanza: dict[str, Attribute] = {
        "id": number, "type": "text", "t": str(int(time.time())), "notify": "Анна",
        "from": there.anna.lid, "sender_pn": there.anna.jid, "addressing_mode": "lid",
    }  # fmt: skip
    there.anna.sent[number] = content.text("at last"), stanza
    garbage = Node("enc", {"v": "2", "type": "msg"}, b"\x33" + b"garbage" * 9)
    await there.device.deliver(Node("message", stanza, (garbage,)))
    stand_in, message = await engine.message(), await engine.message()
    assert stand_in.content == Unsupported("undecryptable")
    assert (message.content, message.id) == (Text("at last"), number)
    assert stand_in.id == placeholder_id(message.id) == message.instead_of


async def test_typing_is_shown_before_a_message(live: Live) -> None:
    """The service hears "composing" for the client's chat, and then the message."""
    there, engine = live
    await engine.show_typing("79161234567")
    shown = await there.device.said.take(lambda said: said.tag == "chatstate", what="typing")
    assert shown.get("to") == "79161234567@s.whatsapp.net"
    assert [child.tag for child in shown.children] == ["composing"]
    assert (await engine.send("79161234567", "written"))["kind"] == "Delivered"
    await there.anna.received("written")


# --- Sends that fail ------------------------------------------------------------------------------


async def test_a_number_without_whatsapp_is_told_apart(live: Live) -> None:
    """No such client: dead at once with amoCRM's own number for it."""
    _, engine = live
    outcome = await engine.send("79990000000", "hello")
    assert (outcome["kind"], outcome["failure"]) == ("Dead", 904)


async def test_a_refused_send_is_dead(live: Live) -> None:
    """The service said no: repeating would not help, and the next message is not held."""
    there, engine = live
    there.device.refuse_next_send(479)
    refused = await engine.send("79161234567", "refused")
    assert (refused["kind"], refused["tell"]) == ("Dead", "refused_by_whatsapp")
    there.device.refuse_next_send(463)
    assert (await engine.send("79161234567", "cold"))["kind"] == "Closed"
    assert (await engine.send("79161234567", "next"))["kind"] == "Delivered"


async def test_a_link_lost_while_sending_is_no_second_message(live: Live) -> None:
    """The library repeats the same message under the same id; the client reads it once."""
    there, engine = live
    there.device.drop_before_next_ack()
    outcome = await engine.send("79161234567", "once")
    assert outcome["kind"] == "Delivered"
    assert (await there.anna.received("once")).id == outcome["reference"]
    assert there.anna.repeated in ([], [outcome["reference"]])
    assert [heard.text for heard in there.anna.messages.history].count("once") == 1


async def test_a_link_that_stays_away_leaves_the_outcome_unknown(live: Live) -> None:
    """Sent, no answer, and no way back: nobody knows, and so it is said; then nothing is sent."""
    there, engine = live
    await engine.send("79161234567", "first")
    there.device.drop_before_next_ack()
    number = engine.begin_send("79161234567", "perhaps")
    await there.anna.received("perhaps")
    there.server.go_down()
    assert (await engine.outcome(number))["kind"] == "Unknown"
    assert (await engine.send("79161234567", "not now"))["kind"] == "Retry"
    there.server.come_back()
    await engine.state("connected")
    assert (await engine.send("79161234567", "now"))["kind"] == "Delivered"
    texts = [heard.text for heard in there.anna.messages.history]
    assert texts == ["first", "perhaps", "now"]


async def test_half_a_surrogate_pair_can_be_sent(live: Live) -> None:
    """What JSON can carry and UTF-8 cannot is replaced; the rest of the text is exact."""
    there, engine = live
    assert (await engine.send("79161234567", "a\ud83d b"))["kind"] == "Delivered"
    await there.anna.received("a\ufffd b")


async def test_nothing_is_sent_without_a_connection(live: Live) -> None:
    """Before pairing, after a logout: a retry, and WhatsApp sees nothing."""
    there, engine = live
    await there.device.stream_error(401, "device_removed")
    await engine.told("logged_out", lambda: there.device.stream_error(401, "device_removed"))
    assert (await engine.send("79161234567", "late"))["kind"] == "Retry"
    assert not there.anna.messages.history


# --- What can happen to a session -----------------------------------------------------------------


async def test_a_dropped_connection_comes_back_with_what_was_missed(live: Live) -> None:
    """After a drop the session returns by itself, and what was written meanwhile comes in order."""
    there, engine = live
    there.device.drop()
    await engine.state("reconnecting")
    for number in range(5):
        await there.anna.send(there.phone, f"missed {number}", at_s=1_770_000_000 + number)
    await engine.state("connected")
    missed = [await engine.message() for _ in range(5)]
    assert texts(list(missed)) == [f"missed {number}" for number in range(5)]
    assert [m.sent_at_ms for m in missed] == [(1_770_000_000 + n) * 1000 for n in range(5)]


async def test_logged_out_waits_and_a_new_pairing_is_picked_up(live: Live) -> None:
    """Removed on the phone: the engine waits; paired again, it connects without a restart."""
    there, engine = live
    await there.device.stream_error(401, "device_removed")
    state = await engine.told("logged_out", lambda: there.device.fail(401))
    assert "pair it again" in state["reason"]
    device = await there.server.pair_store(there.store, there.phone)
    engine.order("paired")
    await engine.state("connected")
    await device.online()
    await there.anna.send(there.phone, "again")
    assert (await engine.message()).content == Text("again")


async def test_a_session_opened_elsewhere_is_told_and_rests(live: Live) -> None:
    """Replaced: the engine says so and does not fight."""
    there, engine = live
    await there.device.stream_error(conflict="replaced")
    state = await engine.told("replaced", lambda: there.device.stream_error(conflict="replaced"))
    assert "opened elsewhere" in state["reason"]
    await there.device.offline()


@pytest.mark.parametrize(
    ("reason", "attributes", "state", "words"),
    [
        (400, {}, "reconnecting", "refused the connection"),
        (401, {}, "logged_out", "removed on the phone"),
        (402, {"code": "101", "expire": "3600"}, "banned", "too many strangers; until 20"),
        (403, {}, "logged_out", "locked"),
        (405, {}, "outdated", "upgraded"),
        (406, {}, "logged_out", "banned account"),
    ],
)
async def test_a_refused_login_says_why(
    tmp_path: Path, reason: int, attributes: dict[str, str], state: str, words: str
) -> None:
    """A ban, an outdated version, a removed device: each is a state of its own with its reason."""
    async with scene(tmp_path) as there:
        there.device.fail_next_login(reason, **attributes)
        async with there.engine() as engine:
            line = await engine.told(state, lambda: there.device.fail(reason, **attributes))
            assert words in line["reason"]


@pytest.mark.parametrize("reason", [500, 503])
async def test_an_overloaded_server_is_tried_again(tmp_path: Path, reason: int) -> None:
    """500 or 503 at login: the session comes up as soon as the service takes it."""
    async with scene(tmp_path) as there:
        there.device.fail_next_login(reason)
        async with there.engine() as engine:
            await engine.state("connected")


async def test_an_event_that_breaks_the_librarys_stream_costs_one_restart(live: Live) -> None:
    """A receipt of a kind the library cannot encode ends its stream; the engine starts it again."""
    there, engine = live
    now, anna = str(int(time.time())), there.anna.lid
    broken = node("receipt", id="3EB0FF", type="server-error", from_=anna, t=now)
    await there.device.deliver(broken)
    assert "stream ended" in (await engine.state("reconnecting"))["reason"]
    await engine.state("connected")
    await there.device.online()
    await there.anna.send(there.phone, "still here")
    assert (await engine.message()).content == Text("still here")


async def test_a_second_engine_on_one_session_stays_away(live: Live) -> None:
    """Two relays on one store: the second says so; the first does not notice."""
    there, engine = live
    logins = there.device.logins
    async with there.engine() as second:
        assert "another process" in (await second.state("replaced"))["reason"]
    await there.anna.send(there.phone, "undisturbed")
    assert (await engine.message()).content == Text("undisturbed")
    assert there.device.logins == logins


async def test_many_sessions_in_one_process(tmp_path: Path) -> None:
    """Channels come and go while others send: the process lives, and no send fails."""
    async with WhatsAppServer() as server:
        anna = server.contact("79161234567", "Анна")
        stores = [tmp_path / f"channel{number}.db" for number in range(6)]
        for number, store in enumerate(stores):
            await server.pair_store(store, server.phone(f"7495000000{number}"))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.whatsapp.linked_device.many_driver",
            anna.number,
            *map(str, stores),
            stdout=asyncio.subprocess.PIPE,
            env=server.environment(),
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    figures = json.loads(out)
    assert figures["outcomes"] == {"Delivered": 30}
    assert len(anna.messages.history) == 30
    assert figures["threads_each"] <= 2
    assert figures["stop_s"] < 10


# --- Restarts -------------------------------------------------------------------------------------


async def test_what_came_while_we_were_away_comes_at_the_start(tmp_path: Path) -> None:
    """Both directions of the offline queue arrive in order with their own time."""
    async with scene(tmp_path) as there:
        for number in range(10):
            await there.anna.send(there.phone, f"in {number}", at_s=1_770_000_000 + number)
        await there.phone.send(there.anna, "typed", at_s=1_770_000_100)
        async with there.engine() as engine:
            came = [await engine.message() for _ in range(11)]
            assert await engine.stop() == 0
        assert texts(list(came)) == [*(f"in {number}" for number in range(10)), "typed"]
        assert came[-1].origin is Origin.PHONE
        assert came[-1].sent_at_ms == 1_770_000_100_000
        async with there.engine() as engine:
            await engine.state("connected")
            await there.device.online()
            await there.device.drained()
            assert await engine.stop() == 0
        assert len([e for e in engine.kept() if isinstance(e, Received)]) == 11


async def test_a_clean_stop_keeps_everything_that_was_received(live: Live) -> None:
    """Stopped in the middle of a burst: what is not kept, WhatsApp still has."""
    there, engine = live
    sent = [await there.anna.send(there.phone, f"burst {n}") for n in range(100)]
    await engine.message()
    assert await engine.stop() == 0
    await there.device.offline()
    async with there.engine() as again:
        await again.state("connected")
        await there.device.online()
        await there.device.drained()
        assert await again.stop() == 0
    kept = [event.id for event in again.kept() if isinstance(event, Received)]
    assert sorted(set(kept)) == sorted(sent)
    assert [id_ for index, id_ in enumerate(kept) if id_ not in kept[:index]] == sent


async def test_a_killed_engine_has_kept_what_it_handed_over(live: Live) -> None:
    """After ``kill -9`` everything that was handed over is there; of the rest a little is lost.

    The library tells WhatsApp that it has a message before we have it: its own buffer holds 100.
    """
    there, engine = live
    sent = [await there.anna.send(there.phone, f"burst {n}") for n in range(300)]
    for _ in range(50):
        await engine.message()
    await engine.kill()
    told = {line["payload"] for line in engine.said.history if line.event == "kept"}
    assert told <= set(engine.kept_file.read_text("ascii").split())
    await there.device.offline()
    async with there.engine() as again:
        await again.state("connected")
        await there.device.online()
        await there.device.drained()
        assert await again.stop() == 0
    kept = {event.id for event in again.kept() if isinstance(event, Received)}
    lost = [id_ for id_ in sent if id_ not in kept]
    print(f"lost of 300: {len(lost)}")
    assert len(lost) <= 101


# --- What nobody may see --------------------------------------------------------------------------


async def test_nothing_of_a_message_is_printed(live: Live) -> None:
    """Neither numbers nor texts reach our standard output or the log by the library's hand."""
    there, engine = live
    await there.anna.send(there.phone, "a secret")
    await engine.message()
    await engine.send("79990000000", "another secret")
    await engine.send("79161234567", "a third")
    assert await engine.stop() == 0
    log = engine.stderr.decode()
    assert "secret" not in log
    assert "79161234567" not in log
    assert "79990000000" not in log
    assert OWN not in log
    assert all(line.startswith("{") for line in engine.stdout)


async def test_the_session_file_is_private_and_durable(live: Live) -> None:
    """The keys are readable by nobody else, side files too, and the file is in WAL mode."""
    there, engine = live
    modes = {path.name: path.stat().st_mode & 0o777 for path in there.store.parent.iterdir()}
    secret = {name: mode for name, mode in modes.items() if name.startswith("sales.db")}
    assert len(secret) == 3
    assert set(secret.values()) == {0o600}
    assert await engine.stop() == 0
    with closing(sqlite3.connect(there.store)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
