"""Many works, one fsync: what a batch shares, and what becomes of it when the disk refuses."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

import relay.sqlite.store
from relay.delivery.ports import Ledger, StoreRefusedError
from relay.sqlite import SqliteStore, StoreClosedError, open_store
from relay.sqlite.group_commit import GroupCommit, Work
from relay.sqlite.ledger import SqliteLedger
from tests.delivery.contract_transactions import BoomError, appending, failing_after, payloads
from tests.sqlite.images import ACCOUNT

_BIG = b"x" * 50_000  # a dozen pages
_ROOM = 100_000  # two of them do not fit


@asynccontextmanager
async def held(store: SqliteStore) -> AsyncIterator[None]:
    """Keep the store's thread busy, so that what is called meanwhile waits together."""
    reached, release = threading.Event(), threading.Event()

    def work(_: Ledger) -> None:
        reached.set()
        release.wait(10)

    blocker = asyncio.ensure_future(store.transact(work))
    await asyncio.to_thread(reached.wait, 10)
    try:
        yield
        await asyncio.sleep(0)  # tasks made inside make their calls
    finally:
        release.set()
        await blocker


def statements(store: SqliteStore) -> list[str]:
    """The statements that the writing connection runs from now on."""
    seen: list[str] = []
    store._opened.writer.set_trace_callback(seen.append)
    return seen


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


async def test_waiting_works_share_one_commit(store: SqliteStore) -> None:
    """However many works wait (up to a batch), there is one BEGIN and one COMMIT for them."""
    seen = statements(store)
    async with held(store):
        calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(200)]
    await asyncio.gather(*calls)
    assert seen.count("COMMIT") == 2  # one for the work that held the thread, one for all others
    assert seen.count("BEGIN IMMEDIATE") == 2
    assert len(await payloads(store)) == 200


async def test_a_batch_is_bounded(store: SqliteStore) -> None:
    """No transaction is longer than a batch, so that the first of many waits for no more."""
    seen = statements(store)
    async with held(store):
        calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(600)]
    await asyncio.gather(*calls)
    assert seen.count("COMMIT") == 1 + 3  # 256, 256 and 88


async def test_a_raising_work_does_not_cost_a_commit(store: SqliteStore) -> None:
    """The batch is run again with savepoints, and the others share one commit without it."""
    seen = statements(store)
    async with held(store):
        calls = [
            asyncio.ensure_future(store.transact(work))
            for work in (appending(b"1"), failing_after(b"2"), appending(b"3"))
        ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[1], BoomError)
    assert (seen.count("COMMIT"), seen.count("ROLLBACK")) == (2, 1)
    assert await payloads(store) == [b"1", b"3"]


async def test_too_many_waiting_works_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue has a bound; beyond it a call is refused at once, from a thread too."""
    monkeypatch.setattr(relay.sqlite.store, "_LONGEST_QUEUE", 3)
    async with open_store(tmp_path, account=ACCOUNT) as store:
        async with held(store):
            calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(3)]
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


async def test_a_full_database_never_acknowledges_what_it_undid(store: SqliteStore) -> None:
    """In a batch: whatever got a result is there, whatever was refused is not."""
    await limit_pages(store, 20)
    wanted = [b"%d" % n + (_BIG if n % 3 == 2 else b"") for n in range(13)]
    async with held(store):
        calls = [asyncio.ensure_future(store.transact(appending(one))) for one in wanted]
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [isinstance(result, StoreRefusedError) for result in results]
    assert True in refused
    assert False in refused
    kept = [one for one, no in zip(wanted, refused, strict=True) if not no]
    assert await payloads(store) == kept
    await limit_pages(store, None)
    await store.transact(appending(b"after"))
    assert await payloads(store) == [*kept, b"after"]


async def test_a_failing_commit_refuses_the_whole_batch(store: SqliteStore, tmp_path: Path) -> None:
    """When the log cannot be written nothing of the batch is kept, not even its own errors."""
    await store.transact(appending(b"before"))
    log = tmp_path / "store" / "relay.db-wal"
    async with held(store):
        calls = [
            asyncio.ensure_future(store.transact(work))
            for work in (appending(b"1"), failing_after(b"2"), appending(_BIG), appending(b"4"))
        ]
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


async def test_a_database_held_by_a_shell_refuses(store: SqliteStore, tmp_path: Path) -> None:
    """While somebody else holds the write lock works are refused; then they go on."""
    store._opened.writer.execute("PRAGMA busy_timeout = 0")
    shell = sqlite3.connect(tmp_path / "store" / "relay.db", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreRefusedError, match="locked"):
        await store.transact(appending(b"1"))
    assert await payloads(store) == []  # reading goes on
    shell.close()
    await store.transact(appending(b"2"))
    assert await payloads(store) == [b"2"]


async def test_a_closed_store_takes_nothing(tmp_path: Path) -> None:
    """Closing finishes what was taken; what comes later is told so, and need not try again."""
    store = open_store(tmp_path, account=ACCOUNT)
    async with store:
        call = asyncio.ensure_future(store.transact(appending(b"1")))
        await asyncio.sleep(0)
    assert await call == 1
    store.close()
    for attempt in (store.transact(appending(b"2")), store.query(lambda _: None)):
        with pytest.raises(StoreClosedError):
            await attempt
    with pytest.raises(StoreClosedError):
        await asyncio.to_thread(store.transact_from_thread, appending(b"2"))


async def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    """Works that wait when the store is closed are committed, and their results come out."""
    store = open_store(tmp_path, account=ACCOUNT)
    async with held(store):
        calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(3)]
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(asyncio.to_thread(store.close))
        while not store._writer._closed:  # noqa: ASYNC110 - a thread sets it, without an event
            await asyncio.sleep(0)
    assert await asyncio.gather(*calls) == [1, 2, 3]
    await asyncio.wait_for(closing, 10)


def test_a_transaction_that_cannot_be_rolled_back_is_tried_again(tmp_path: Path) -> None:
    """A connection left inside a transaction begins the next batch with a ROLLBACK."""
    store = open_store(tmp_path, account=ACCOUNT)
    store.close()
    connection = sqlite3.connect(tmp_path / "relay.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO fact (name, value) VALUES ('left', 'over')")
    work = Work(lambda ledger: ledger.fact("left"))
    GroupCommit(connection)([work])
    connection.close()
    assert (work.value, work.error) == (None, None)
