"""Many works, one fsync: what a batch shares, and what becomes of it when the disk refuses."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

import relay.sqlite.group_commit
import relay.sqlite.writing
from relay.delivery.ledger import Ledger
from relay.delivery.store import StoreRefusedError
from relay.sqlite import SqliteStore, open_store
from relay.sqlite.group_commit import GroupCommit, Work
from relay.sqlite.ledger import SqliteLedger
from relay.sqlite.remembered import Memory
from relay.sqlite.writing import LARGEST_GROUP
from tests.delivery.contract_transactions import BoomError, appending, failing_after, payloads
from tests.sqlite.images import ACCOUNT

_BIG = b"x" * 50_000  # a dozen pages
_ROOM = 100_000  # two of them do not fit


class Commits:
    """The statements of the writing connection; a COMMIT can be held, as by a slow disk."""

    def __init__(self, store: SqliteStore) -> None:
        self.seen: list[str] = []
        self._reached = threading.Event()
        self._release = threading.Event()
        self._release.set()
        store._opened.writer.set_trace_callback(self._trace)
        self._store = store

    def _trace(self, sql: str) -> None:
        self.seen.append(sql)
        if sql == "COMMIT":
            self._reached.set()
            self._release.wait(10)

    def count(self, sql: str) -> int:
        """How often a statement was run."""
        return self.seen.count(sql)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the COMMIT of a work, so that what is called meanwhile waits together."""
        self._reached.clear()
        self._release.clear()
        held = asyncio.ensure_future(self._store.transact(lambda _: None))
        await asyncio.to_thread(self._reached.wait, 10)
        try:
            yield
            await asyncio.sleep(0)  # tasks made inside make their calls
        finally:
            self._release.set()
            await held


@pytest.fixture
def commits(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> Commits:
    """Nothing but their number bounds a group: on a busy machine each would end by its time."""
    monkeypatch.setattr(relay.sqlite.group_commit, "LONGEST_TURN_S", 60.0)
    return Commits(store)


def call(store: SqliteStore, *works: Callable[[Ledger], object]) -> list[asyncio.Future[object]]:
    """Give the works to the store, as tasks would that run side by side."""
    return [asyncio.ensure_future(store.transact(work)) for work in works]


async def limit_pages(store: SqliteStore, more: int | None) -> None:
    """The database may grow by so many pages only; None: as it likes."""

    def work(ledger: Ledger) -> None:
        assert isinstance(ledger, SqliteLedger)
        (count,) = ledger._connection.execute("PRAGMA page_count").fetchone()
        most = 2**30 if more is None else count + more
        ledger._connection.execute(f"PRAGMA max_page_count = {most}")

    await store.transact(work)


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may be written beyond that size: a disk that fails in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_waiting_works_share_one_commit(store: SqliteStore, commits: Commits) -> None:
    """However many works wait (up to a group), there is one BEGIN and one COMMIT for them."""
    async with commits.held():
        calls = call(store, *(appending(b"%d" % n) for n in range(LARGEST_GROUP)))
    await asyncio.gather(*calls)
    assert commits.count("COMMIT") == 2  # one for the work that was held, one for all others
    assert commits.count("BEGIN IMMEDIATE") == 2
    assert len(await payloads(store)) == LARGEST_GROUP


async def test_a_group_is_bounded(store: SqliteStore, commits: Commits) -> None:
    """No transaction has more works than a group, so that the first of many waits for no more."""
    async with commits.held():
        calls = call(store, *(appending(b"%d" % n) for n in range(2 * LARGEST_GROUP + 1)))
    await asyncio.gather(*calls)
    assert commits.count("COMMIT") == 1 + 3


async def test_slow_works_do_not_hold_the_loop_together(
    store: SqliteStore, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn ends after the work during which its time ran out; the rest waits for the next."""
    monkeypatch.setattr(relay.sqlite.group_commit, "LONGEST_TURN_S", -1.0)
    async with commits.held():
        calls = call(store, *(appending(b"%d" % n) for n in range(3)))
    await asyncio.gather(*calls)
    assert commits.count("COMMIT") == 1 + 3
    assert await payloads(store) == [b"0", b"1", b"2"]


async def test_the_loop_goes_on_while_the_disk_is_slow(
    store: SqliteStore, commits: Commits
) -> None:
    """During a COMMIT that does not end, the loop runs, and queries are answered."""
    await store.transact(appending(b"before"))
    async with commits.held():
        calls = call(store, appending(b"after"))
        await asyncio.sleep(0)
        assert await payloads(store) == [b"before"]
        assert not calls[0].done()
    await asyncio.gather(*calls)
    assert await payloads(store) == [b"before", b"after"]


async def test_a_raising_work_does_not_cost_a_commit(store: SqliteStore, commits: Commits) -> None:
    """The group is run again with savepoints, and the others share one commit without it."""
    async with commits.held():
        calls = call(store, appending(b"1"), failing_after(b"2"), appending(b"3"))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[1], BoomError)
    assert (commits.count("COMMIT"), commits.count("ROLLBACK")) == (2, 1)
    assert await payloads(store) == [b"1", b"3"]


async def test_too_many_waiting_works_are_refused(
    store: SqliteStore, commits: Commits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue has a bound; beyond it a call is refused at once, from a thread too."""
    monkeypatch.setattr(relay.sqlite.writing, "LONGEST_QUEUE", 3)
    async with commits.held():
        calls = call(store, *(appending(b"%d" % n) for n in range(3)))
        await asyncio.sleep(0)
        with pytest.raises(StoreRefusedError):
            await store.transact(appending(b"3"))
        with pytest.raises(StoreRefusedError):
            await asyncio.to_thread(store.transact_from_thread, appending(b"3"))
    await asyncio.gather(*calls)
    assert await payloads(store) == [b"0", b"1", b"2"]


async def test_a_full_database_refuses_and_recovers(store: SqliteStore) -> None:
    """SQLite's "full" refuses the work; what was there stays; room again, and works go on."""
    await store.transact(appending(b"before"))
    await limit_pages(store, 2)
    with pytest.raises(StoreRefusedError, match="full"):
        await store.transact(appending(_BIG))
    with pytest.raises(StoreRefusedError, match="full"):
        await asyncio.to_thread(store.transact_from_thread, appending(_BIG))
    await store.transact(appending(b"small"))
    await limit_pages(store, None)
    await store.transact(appending(_BIG))
    assert await payloads(store) == [b"before", b"small", _BIG]


async def test_a_full_database_never_acknowledges_what_it_undid(
    store: SqliteStore, commits: Commits
) -> None:
    """In a group: whatever got a result is there, whatever was refused is not."""
    await limit_pages(store, 20)
    wanted = [b"%d" % n + (_BIG if n % 3 == 2 else b"") for n in range(13)]
    async with commits.held():
        calls = call(store, *map(appending, wanted))
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [isinstance(result, StoreRefusedError) for result in results]
    assert True in refused
    assert False in refused
    kept = [one for one, no in zip(wanted, refused, strict=True) if not no]
    assert await payloads(store) == kept
    await limit_pages(store, None)
    await store.transact(appending(b"after"))
    assert await payloads(store) == [*kept, b"after"]


async def test_a_failing_commit_refuses_the_whole_group(
    store: SqliteStore, commits: Commits, tmp_path: Path
) -> None:
    """When the log cannot be written nothing of the group is kept, not even its own errors."""
    await store.transact(appending(b"before"))
    log = tmp_path / "store" / "relay.db-wal"
    async with commits.held():
        calls = call(store, appending(b"1"), failing_after(b"2"), appending(_BIG), appending(b"4"))
        await asyncio.sleep(0)
        limit = small_files(log.stat().st_size)
        limit.__enter__()
    try:
        results = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        limit.__exit__(None, None, None)
    assert [type(result) for result in results] == [StoreRefusedError] * 4
    assert len({id(result) for result in results}) == 4  # every caller raises his own
    assert await payloads(store) == [b"before"]
    await store.transact(appending(b"after"))
    assert await payloads(store) == [b"before", b"after"]


async def test_a_database_held_by_a_shell_is_waited_for(store: SqliteStore, tmp_path: Path) -> None:
    """While somebody else holds the write lock works wait, and the loop does not."""
    shell = sqlite3.connect(tmp_path / "store" / "relay.db", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    calls = call(store, appending(b"1"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert await payloads(store) == []  # the loop and reading go on
    assert not calls[0].done()
    shell.close()
    await asyncio.gather(*calls)
    assert await payloads(store) == [b"1"]


async def test_a_database_held_for_long_refuses(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some patience works are refused; when the lock is free they go on."""
    monkeypatch.setattr(relay.sqlite.writing, "BUSY_S", 0.0)
    shell = sqlite3.connect(tmp_path / "store" / "relay.db", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreRefusedError, match="locked"):
        await store.transact(appending(b"1"))
    shell.close()
    await store.transact(appending(b"2"))
    assert await payloads(store) == [b"2"]


def test_a_transaction_that_cannot_be_rolled_back_is_tried_again(tmp_path: Path) -> None:
    """A connection left inside a transaction begins the next group with a ROLLBACK."""
    store = open_store(tmp_path, account=ACCOUNT)
    store.close()
    connection = sqlite3.connect(tmp_path / "relay.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO fact (name, value) VALUES ('left', 'over')")
    work = Work(lambda ledger: ledger.fact("left"))
    group = GroupCommit(connection, Memory())
    assert group.run([work]) == 1
    group.commit()
    connection.close()
    assert (work.value, work.error) == (None, None)
