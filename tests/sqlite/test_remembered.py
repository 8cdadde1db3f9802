"""What the store remembers never differs from what the database keeps."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from relay.delivery.ledger import Conversation, Ledger
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmMessageId,
    MessageId,
    OwnNumber,
)
from relay.domain.message import Client
from relay.domain.outbox import Destination, Entry, EntryId, EntryState
from relay.domain.phone_check import PhoneCheck
from relay.sqlite import SqliteStore
from relay.sqlite.remembered import ENTRIES, UNASKED, Remembered, RememberedEntries
from tests.delivery.contract_transactions import BoomError
from tests.delivery.store_samples import letter

OWN, ANNA = OwnNumber("74950000001"), ClientAddress("79001234567")
ID = ConversationId(f"wa-{OWN}-{ANNA}")
PLACE = "chat:1"
OTHER = ConversationId("wa-elsewhere-1")


def know(ledger: Ledger) -> None:
    """Write one of everything that is remembered."""
    ledger.save_conversation(Conversation(ID, OWN, Client(ANNA, f"+{ANNA}", "Анна")))
    ledger.save_alias(OWN, ANNA, OTHER)
    ledger.save_phone_check(ANNA, PhoneCheck.answered(True, 5))
    ledger.put(letter("k"))
    ledger.post(MessageId("p"), ID, CrmMessageId("c"))
    ledger.hold(ledger.append("amocrm", b"{}", "t", 5), PLACE)


def known(ledger: Ledger) -> list[object]:
    found = ledger.conversation(ID), ledger.alias(OWN, ANNA), ledger.phone_check(ANNA)
    due = ledger.due(Destination.AMOCRM, 10**9, 9, (), 10**6)
    held = [PLACE] if ledger.is_held([PLACE]) else []
    posted = ["c"] if ledger.posted(CrmMessageId("c")) else []
    return [thing for thing in (*found, *due, *held, *posted) if thing is not None]


async def test_what_was_undone_is_not_remembered(store: SqliteStore) -> None:
    """A work that raises leaves nothing behind, neither for others of its group nor for later."""

    def fail(ledger: Ledger) -> None:
        know(ledger)
        assert len(known(ledger)) == 6
        raise BoomError

    assert await store.transact(known) == []
    undone, beside = await asyncio.gather(
        store.transact(fail), store.transact(known), return_exceptions=True
    )
    assert isinstance(undone, BoomError)
    assert beside == []
    assert await store.query(known) == []


async def test_who_only_reads_sees_nothing_that_is_not_committed(store: SqliteStore) -> None:
    """What a running transaction has written, and remembers, is nobody else's yet."""

    def write_and_look(ledger: Ledger) -> list[object]:
        know(ledger)
        return store._snapshot.run(known)

    assert await store.transact(write_and_look) == []
    assert len(await store.query(known)) == 6


async def test_what_a_shell_changes_is_seen(store: SqliteStore, tmp_path: Path) -> None:
    """An administrator may mend a row by hand while the relay runs."""
    await store.transact(know)
    shell = sqlite3.connect(tmp_path / "store" / "relay.db")
    with shell:
        shell.execute("UPDATE conversation SET client_name = 'Anna'")
        shell.execute("DELETE FROM alias")
    shell.close()
    seen = await store.transact(lambda ledger: (ledger.conversation(ID), ledger.alias(OWN, ANNA)))
    assert seen == (Conversation(ID, OWN, Client(ANNA, f"+{ANNA}", "Anna")), None)


async def test_what_is_held_is_asked_anew_whenever_that_may_have_changed(
    store: SqliteStore, tmp_path: Path
) -> None:
    """A message must never overtake one that waits, and never wait for one that has gone."""

    async def held(*places: str) -> bool:
        return await store.transact(lambda ledger: ledger.is_held(places))

    assert not await held(PLACE)
    row = await store.transact(lambda ledger: ledger.append("amocrm", b"{}", "t", 5))
    await store.transact(lambda ledger: ledger.hold(row, PLACE))
    assert await held(PLACE)
    assert not await held("chat:2")
    await store.transact(lambda ledger: ledger.mark_read(row))
    assert not await held(PLACE)
    shell = sqlite3.connect(tmp_path / "store" / "relay.db")
    with shell:
        shell.execute("UPDATE journal SET state = 3, place = 'chat:3'")
    shell.close()
    assert await held("chat:3")


async def test_the_first_post_of_our_own_is_known(store: SqliteStore) -> None:
    """A hook about it is never taken for a manager's message, though none was known before."""
    crm_id = CrmMessageId("c")

    async def posted() -> bool:
        return await store.transact(lambda ledger: ledger.posted(crm_id))

    assert not await posted()
    await store.transact(lambda ledger: ledger.post(MessageId("p"), ID, crm_id))
    assert await posted()


@pytest.mark.parametrize("most", [0, 1, 3])
def test_no_more_is_remembered_than_agreed(most: int) -> None:
    """The oldest gives way; what is kept anew under its key takes no further room."""
    remembered = Remembered[int, str](most)
    for number in (1, 2, 3, 4, 4):
        assert remembered.keep(number, str(number)) == str(number)
    assert list(remembered) == [1, 2, 3, 4][4 - most :]


def entry(number: int, unasked_ms: int | None = None) -> Entry:
    new = replace(letter(str(number)), unasked_ms=unasked_ms)
    return Entry(EntryId(number), new, EntryState.PENDING, 0, 1)


def test_a_burst_of_pictures_leaves_the_others_their_room() -> None:
    """And the other way round: whoever is asked for its file moves to the others."""
    remembered = RememberedEntries()
    for number in range(1, UNASKED + 2):
        remembered.keep(entry(number, 5))
    others = [remembered.keep(entry(number)) for number in range(5_001, 5_001 + ENTRIES)]
    assert remembered.get(EntryId(1)) is None
    assert remembered.get(EntryId(2)) == entry(2, 5)
    remembered.keep(entry(2))
    assert remembered.get(EntryId(2)) == entry(2)
    assert [remembered.get(each.id) for each in others] == [None, *others[1:]]
    assert remembered.pop(EntryId(2)) == entry(2)
    assert remembered.get(EntryId(2)) is None


def test_nothing_is_remembered_that_was_forgotten() -> None:
    """Of both rooms."""
    remembered = RememberedEntries()
    for each in (entry(1), entry(2, 5)):
        remembered.keep(each)
    remembered.clear()
    assert [remembered.get(EntryId(number)) for number in (1, 2)] == [None, None]
