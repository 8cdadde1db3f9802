"""Opening the storage directory: what is made, what is refused, and in which words."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import relay.sqlite.opening
from relay.delivery.ledger import Ledger
from relay.sqlite import (
    SqliteStore,
    StorageBusyError,
    StorageDamagedError,
    StorageError,
    StorageOfAnotherAccountError,
    StorageTooNewError,
    StorageUnusableError,
    open_store,
)
from tests.delivery.contract_transactions import appending, payloads
from tests.sqlite.images import ACCOUNT, image, open_image

_HOLDER = """
import pathlib, sys
from relay.sqlite import open_store
store = open_store(pathlib.Path(sys.argv[1]), account=sys.argv[2])
print("open", flush=True)
sys.stdin.read()
store.close()
"""


def open_and_close(directory: Path, account: str = ACCOUNT) -> bool:
    """Whether the stop before was unclean."""
    store = open_store(directory, account=account)
    store.close()
    return store.unclean_stop


def change(directory: Path, sql: str) -> None:
    """What somebody else did to the database."""
    connection = sqlite3.connect(directory / "relay.db", isolation_level=None)
    connection.execute(sql)
    connection.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_the_owners_alone(tmp_path: Path) -> None:
    """The directory is made with its parents, 0700, and every file in it 0600."""
    directory = tmp_path / "var" / "relay"
    before = os.umask(0)
    try:
        store = open_store(directory, account=ACCOUNT)
    finally:
        os.umask(before)
    modes = {path.name: mode(path) for path in directory.iterdir()}
    store.close()
    assert modes == dict.fromkeys(("relay.db", "relay.db-shm", "relay.db-wal", "relay.lock"), 0o600)
    assert mode(directory) == 0o700


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """One process per directory: the other is named by its pid; when it ends, we may."""
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _HOLDER, str(tmp_path), ACCOUNT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StorageBusyError, match=rf"pid {holder.pid}\b.*{tmp_path}"):
            open_store(tmp_path, account=ACCOUNT)
        holder.communicate()
    assert holder.returncode == 0
    assert open_and_close(tmp_path) is False


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A database of a newer version is not touched."""
    open_and_close(tmp_path)
    change(tmp_path, "PRAGMA user_version = 99")
    before = (tmp_path / "relay.db").read_bytes()
    with pytest.raises(StorageTooNewError, match="version is 99"):
        open_store(tmp_path, account=ACCOUNT)
    assert (tmp_path / "relay.db").read_bytes() == before


def test_another_accounts_database_is_refused(tmp_path: Path) -> None:
    """The account of the first opening is remembered; the right one may still open."""
    open_and_close(tmp_path)
    with pytest.raises(StorageOfAnotherAccountError, match=f"{ACCOUNT}.*other"):
        open_store(tmp_path, account="https://other.kommo.com")
    assert open_and_close(tmp_path) is False


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\0" + bytes(9_999)])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file of something else is told so, and left alone."""
    database = tmp_path / "relay.db"
    database.write_bytes(content)
    with pytest.raises(StorageDamagedError, match=r"relay\.db is damaged"):
        open_store(tmp_path, account=ACCOUNT)
    assert database.read_bytes() == content


async def test_damage_is_found_after_an_unclean_stop(store: SqliteStore, tmp_path: Path) -> None:
    """A database that was not closed is looked through before it is trusted again."""

    def fill(ledger: Ledger) -> None:
        for number in range(300):
            ledger.set_fact(f"fact {number}", "x" * 99)

    await store.transact(fill)
    store._opened.writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
    damaged = image(tmp_path / "store", tmp_path / "image")
    (damaged / "relay.db-wal").unlink()
    content = bytearray((damaged / "relay.db").read_bytes())
    content[-4096:] = random.Random(1).randbytes(4096)
    (damaged / "relay.db").write_bytes(content)
    with pytest.raises(StorageDamagedError, match="restore a backup"):
        open_store(damaged, account=ACCOUNT)


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_place_that_cannot_be_used_is_told(tmp_path: Path, path: str) -> None:
    """The operating system's reason reaches the administrator, with the place."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnusableError, match=f"{tmp_path / path} cannot be used"):
        open_store(tmp_path / path, account=ACCOUNT)


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """Where the file should be stands a directory."""
    (tmp_path / "relay.db").mkdir()
    with pytest.raises(StorageUnusableError, match=r"relay\.db cannot be opened"):
        open_store(tmp_path, account=ACCOUNT)


def test_every_refusal_is_a_storage_error() -> None:
    """One except clause tells them all."""
    kinds = (StorageBusyError, StorageTooNewError, StorageOfAnotherAccountError)
    assert all(issubclass(k, StorageError) for k in (*kinds, StorageDamagedError))


def test_the_disk_is_asked_for_durability(store: SqliteStore) -> None:
    """The log is synced at every commit, keys are checked, and the reader cannot write."""
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "query_only": 0}
    writer, reader = store._opened.writer, store._opened.reader
    for pragma, value in wanted.items():
        assert writer.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    assert reader.execute("PRAGMA query_only").fetchone() == (1,)


async def test_an_unclean_stop_is_noticed_once(store: SqliteStore, tmp_path: Path) -> None:
    """A crash is told at the next opening, a clean stop and a first opening are not."""
    assert store.unclean_stop is False
    async with open_image(tmp_path / "store", tmp_path / "image") as after_crash:
        assert after_crash.unclean_stop is True
    assert open_and_close(tmp_path / "image") is False


async def test_a_check_takes_a_few_seconds_at_most(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at a large database is broken off, and what found nothing is taken for good."""
    monkeypatch.setattr(relay.sqlite.opening, "_CHECK_SECONDS", 0.0)
    monkeypatch.setattr(relay.sqlite.opening, "_CHECK_STEPS", 1)
    await store.transact(appending(b"1"))
    async with open_image(tmp_path / "store", tmp_path / "image") as again:
        assert await payloads(again) == [b"1"]


def test_migrations_run_in_order_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older database gets what it lacks, each script once, and the version of the last."""
    open_and_close(tmp_path)
    scripts = relay.sqlite.opening._migrations()
    later = ["CREATE TABLE later (n INTEGER);", "INSERT INTO later VALUES (7);"]
    monkeypatch.setattr(relay.sqlite.opening, "_migrations", lambda: scripts + later)
    open_and_close(tmp_path)
    open_and_close(tmp_path)
    connection = sqlite3.connect(tmp_path / "relay.db")
    assert connection.execute("SELECT n FROM later").fetchall() == [(7,)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(scripts) + 2,)
    connection.close()


def test_a_failing_migration_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one transaction: the database stays as the script before it left it."""
    scripts = relay.sqlite.opening._migrations()
    bad = "CREATE TABLE half (n INTEGER); INSERT INTO nowhere VALUES (1);"
    monkeypatch.setattr(relay.sqlite.opening, "_migrations", lambda: [*scripts, bad])
    with pytest.raises(StorageUnusableError, match="nowhere"):
        open_store(tmp_path, account=ACCOUNT)
    monkeypatch.undo()
    open_and_close(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="no such table: half"):
        change(tmp_path, "SELECT * FROM half")
