"""The store in memory keeps the contract, and its levers do what they say."""

from __future__ import annotations

import asyncio

import pytest

from relay.delivery.store import Store, StoreRefusedError
from tests.delivery.contract_transactions import appending, payloads
from tests.delivery.memory_store import MemoryStore
from tests.delivery.store_contract import Crash, StoreContract


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def crash(store: MemoryStore) -> Crash:
    async def crash() -> Store:
        return store.reopen()

    return crash


class TestMemoryStore(StoreContract):
    """The contract."""


async def test_a_refusing_store_keeps_nothing(store: MemoryStore) -> None:
    """While it refuses every work is refused, and afterwards it works again."""
    store.refuse = True
    with pytest.raises(StoreRefusedError):
        await store.transact(appending(b"1"))
    store.refuse = False
    await store.transact(appending(b"2"))
    assert await payloads(store) == [b"2"]


async def test_a_crash_loses_what_was_not_committed(store: MemoryStore) -> None:
    """Works that were held are gone after a crash, and their callers never hear."""
    await store.transact(appending(b"kept"))
    store.held = True
    call = asyncio.ensure_future(store.transact(appending(b"lost")))
    await asyncio.sleep(0)
    again = store.reopen()
    store.release()
    assert await payloads(again) == [b"kept"]
    assert not call.done()
    call.cancel()


async def test_works_that_were_held_share_one_commit(store: MemoryStore) -> None:
    """Letting them go commits them together, in order."""
    store.held = True
    calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(3)]
    await asyncio.sleep(0)
    store.release()
    await asyncio.gather(*calls)
    assert (store.commits, await payloads(store)) == (1, [b"0", b"1", b"2"])
