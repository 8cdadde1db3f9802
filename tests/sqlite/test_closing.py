"""The end of a store: what was taken is finished, what comes later is told, nobody hangs."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import relay.sqlite.writing
from relay.sqlite import StoreClosedError, open_store
from tests.delivery.contract_transactions import appending, payloads
from tests.sqlite.images import ACCOUNT


async def kept(directory: Path) -> list[bytes]:
    """What another process finds afterwards."""
    async with open_store(directory, account=ACCOUNT) as again:
        assert not again.unclean_stop
        return await payloads(again)


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


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_closing_finishes_what_waits(tmp_path: Path, turns: int) -> None:
    """Works that wait or are being committed at the end are kept, and their results come out."""
    async with open_store(tmp_path, account=ACCOUNT) as store:
        calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(99)]
        for _ in range(1 + turns):
            await asyncio.sleep(0)
    assert await asyncio.gather(*calls) == list(range(1, 100))
    assert await kept(tmp_path) == [b"%d" % n for n in range(99)]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_closing_at_once_finishes_what_waits(tmp_path: Path, turns: int) -> None:
    """The same when the loop has to wait: for one that was cancelled while closing in peace."""
    store = open_store(tmp_path, account=ACCOUNT)
    calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(99)]
    for _ in range(1 + turns):
        await asyncio.sleep(0)
    store.close()
    assert await asyncio.gather(*calls) == list(range(1, 100))
    assert await kept(tmp_path) == [b"%d" % n for n in range(99)]


def test_a_loop_that_ended_first_loses_nothing(tmp_path: Path) -> None:
    """Works left by a loop that is closed are committed when the store is."""
    store = open_store(tmp_path, account=ACCOUNT)
    with asyncio.Runner() as loop:
        loop.run(store.transact(appending(b"1")))
        loop.get_loop().call_soon(lambda: store._writing.enter(appending(b"2")))
        loop.run(asyncio.sleep(0))
    store.close()
    assert asyncio.run(kept(tmp_path)) == [b"1", b"2"]


async def test_a_thread_that_came_before_the_end_is_served(tmp_path: Path) -> None:
    """A work that a thread has brought, but no loop has seen, is kept and its thread let go."""
    store = open_store(tmp_path, account=ACCOUNT)
    await store.transact(appending(b"1"))
    with ThreadPoolExecutor() as threads:
        thread = threads.submit(store.transact_from_thread, appending(b"2"))
        while not store._writing._inbox:  # the loop sees nothing of it meanwhile
            pass
        store.close()
        assert thread.result(10) == 2
    assert await kept(tmp_path) == [b"1", b"2"]


@pytest.mark.parametrize("closed", [False, True], ids=["meanwhile", "before"])
def test_a_thread_does_not_wait_for_a_loop_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    """A loop that was closed under the store serves nobody, so nobody waits for it."""
    monkeypatch.setattr(relay.sqlite.writing, "_LOOK_AT_LOOP_S", 0.01)
    store = open_store(tmp_path, account=ACCOUNT)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(store.transact(appending(b"1")))
    with ThreadPoolExecutor() as threads:
        if closed:
            loop.close()
        thread = threads.submit(store.transact_from_thread, appending(b"2"))
        while not closed and not store._writing._inbox:
            pass
        loop.close()
        with pytest.raises(StoreClosedError):
            thread.result(10)
    store.close()
    assert asyncio.run(kept(tmp_path)) == [b"1"]


def test_no_thread_waits_for_a_store_that_no_loop_serves(tmp_path: Path) -> None:
    """Before a loop has used the store a thread is told so."""
    store = open_store(tmp_path, account=ACCOUNT)
    with pytest.raises(StoreClosedError):
        store.transact_from_thread(appending(b"1"))
    store.close()
