"""Finding a message again whose sending nobody saw the end of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import structlog.testing

from relay.domain.bodies import Reply
from relay.domain.contents import Text
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber
from relay.whatsapp.linked_device.composing import words_message
from relay.whatsapp.linked_device.marks import ids_of, mark_of, marked
from relay.whatsapp.linked_device.protobufs import load
from tests.whatsapp.linked_device.scene import connected

REPLY = Reply(
    conversation=ConversationId("wa-74950000001-79161234567"),
    crm_id=CrmMessageId("11111111-2222-4333-8444-555555555555"),
    channel=ChannelId("sales"),
    own=OwnNumber("74950000001"),
    to=ClientAddress("79161234567"),
    content=Text("Добрый день"),
)


def test_a_mark_is_the_messages_own() -> None:
    """32 bytes, the same at every attempt, another for every message and number of ours."""
    assert len(mark_of(REPLY)) == 32
    assert mark_of(REPLY) == mark_of(replace(REPLY, to=ClientAddress("1@lid"), content=Text("x")))
    others = (replace(REPLY, crm_id=CrmMessageId("x")), replace(REPLY, own=OwnNumber("7")))
    assert len({mark_of(REPLY), *map(mark_of, others)}) == 3


def test_a_marked_message_says_what_it_said() -> None:
    """The mark is beside the text, not in it."""
    envelope = load().Message()
    envelope.Message.ParseFromString(marked(words_message(Text("Добрый день")), REPLY))
    assert envelope.Message.conversation == "Добрый день"
    assert envelope.Message.messageContextInfo.messageSecret == mark_of(REPLY)


def remember(store: Path, *rows: tuple[str, bytes]) -> None:
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("CREATE TABLE whatsmeow_message_secrets (message_id TEXT, key BLOB)")
        database.executemany("INSERT INTO whatsmeow_message_secrets VALUES (?, ?)", rows)


async def test_all_attempts_are_found_and_nothing_else(tmp_path: Path) -> None:
    """A message that was tried twice has two ids, oldest first."""
    store = tmp_path / "a session's?.db"
    remember(store, ("A", mark_of(REPLY)), ("B", b"another"), ("C", mark_of(REPLY)))
    assert await ids_of(store, REPLY) == ("A", "C")


async def test_without_a_session_nobody_knows(tmp_path: Path) -> None:
    """No file: no id, no noise, and no file is made."""
    store = tmp_path / "none.db"
    with structlog.testing.capture_logs() as logs:
        assert await ids_of(store, REPLY) == ()
    assert logs == []
    assert not store.exists()


async def test_a_session_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A damaged file: nobody knows, with a line in the log that says why."""
    store = tmp_path / "sales.db"
    store.write_bytes(b"garbage" * 1000)
    with structlog.testing.capture_logs() as logs:
        assert await ids_of(store, REPLY) == ()
    [line] = logs
    assert line["event"] == "sent_message_not_found"
    assert "file is not a database" in line["error"]


async def test_the_real_library_writes_the_mark_down_before_it_sends(tmp_path: Path) -> None:
    """The client has the message, no answer came, the process is killed: the id is found."""
    async with connected(tmp_path) as (there, engine):
        there.device.silent = True
        number = engine.begin_send("79161234567", "perhaps")
        heard = await there.anna.received("perhaps")
        await engine.kill()
        sent = replace(REPLY, crm_id=CrmMessageId(f"crm-{number}"))
        assert await ids_of(there.store, sent) == (heard.id,)


async def test_the_answer_of_the_engine_names_the_ids(tmp_path: Path) -> None:
    """While the process lives too: an unknown outcome comes with the ids it may have gone under."""
    async with connected(tmp_path) as (there, engine):
        there.device.drop_before_next_ack()
        number = engine.begin_send("79161234567", "perhaps")
        heard = await there.anna.received("perhaps")
        there.server.go_down()
        outcome = await engine.outcome(number)
        assert (outcome["kind"], outcome["sent_as"]) == ("Unknown", [heard.id])
