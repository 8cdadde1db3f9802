"""A look from another process while the relay holds the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.delivery.ledger import Ledger
from relay.sqlite.glance import Glance, glance
from relay.sqlite.opening import DATABASE
from relay.sqlite.store import SqliteStore
from tests.delivery.store_samples import letter


@pytest.fixture
def database(store: SqliteStore, tmp_path: Path) -> Path:
    return tmp_path / "store" / DATABASE


async def test_what_came_in_is_seen_with_its_lane(store: SqliteStore, database: Path) -> None:
    """The raw bytes, where they came from, and the lane of the first letter of that trace."""

    def work(ledger: Ledger) -> None:
        ledger.append("whatsapp/sales", b"raw", "t-1", 0)
        ledger.put(letter("1", lane="in:anna"))

    await store.transact(work)
    assert glance(database, "t-1") == Glance("whatsapp/sales", b"raw", "in:anna")


async def test_a_row_without_a_letter_has_no_lane(store: SqliteStore, database: Path) -> None:
    """What was ignored is seen all the same."""
    await store.transact(lambda ledger: ledger.append("amocrm", b"raw", "t-1", 0))
    assert glance(database, "t-1") == Glance("amocrm", b"raw")


async def test_what_is_not_there_is_nothing(store: SqliteStore, database: Path) -> None:
    """An unknown trace, or a file that is no database, is no error of whoever looks."""
    assert glance(database, "t-1") is None
    assert glance(database.with_name("nowhere.db"), "t-1") is None
