"""The contract of every store: what a transaction keeps, in which order, after what mishap."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from relay.delivery.ledger import Ledger
from relay.delivery.store import Store
from relay.domain.outbox import Seq
from tests.delivery.store_samples import AMOCRM, WHATSAPP, letter

Crash = Callable[[], Awaitable[Store]]
"""Ends the store without a word, as ``kill -9`` would, and opens what is left."""


class BoomError(Exception):
    """A work went wrong."""


def appending(payload: bytes) -> Callable[[Ledger], Seq]:
    return lambda ledger: ledger.append("amocrm", payload, "t", 1)


def failing_after(payload: bytes) -> Callable[[Ledger], Seq]:
    def work(ledger: Ledger) -> Seq:
        ledger.append("amocrm", payload, "t", 1)
        ledger.put(letter(payload.decode()))
        ledger.set_fact("last", payload.decode())
        raise BoomError(payload)

    return work


async def payloads(store: Store) -> list[bytes]:
    rows = await store.query(lambda ledger: ledger.unread(WHATSAPP, 9_999))
    return [row.payload for row in rows]


class TransactionContract:
    """All of a work or nothing of it, in the order of the calls."""

    async def test_the_result_of_a_work_comes_out(self, store: Store) -> None:
        """Both ways of running a work give what it returned."""
        assert await store.transact(lambda _: "written") == "written"
        assert await store.query(lambda _: "read") == "read"
        assert await asyncio.to_thread(store.transact_from_thread, lambda _: "thread") == "thread"

    async def test_works_run_in_the_order_of_the_calls(self, store: Store) -> None:
        """However many are waiting, each sees all before it and nothing after it."""
        expected = [b"%d" % number for number in range(700)]
        await asyncio.gather(*(store.transact(appending(payload)) for payload in expected))
        assert await payloads(store) == expected

    async def test_a_thread_comes_after_what_was_called_before(self, store: Store) -> None:
        """Works of the loop and of foreign threads stand in one queue."""
        first = asyncio.ensure_future(store.transact(appending(b"loop")))
        await asyncio.sleep(0)  # the call is made, its result is not here
        await asyncio.to_thread(store.transact_from_thread, appending(b"thread"))
        await first
        assert await payloads(store) == [b"loop", b"thread"]

    async def test_a_work_that_raises_is_undone_alone(self, store: Store) -> None:
        """Nothing it did is kept, its exception comes out, its neighbours do not notice."""
        results = await asyncio.gather(
            store.transact(appending(b"1")),
            store.transact(failing_after(b"2")),
            store.transact(appending(b"3")),
            return_exceptions=True,
        )
        assert isinstance(results[1], BoomError)
        assert isinstance(results[0], int)
        assert isinstance(results[2], int)
        assert await payloads(store) == [b"1", b"3"]
        assert await store.query(lambda ledger: ledger.fact("last")) is None
        assert await store.query(lambda ledger: ledger.figures(AMOCRM).waiting) == 0

    async def test_an_exception_comes_out_in_a_thread_too(self, store: Store) -> None:
        """A foreign thread gets the exception of its work."""
        with pytest.raises(BoomError):
            await asyncio.to_thread(store.transact_from_thread, failing_after(b"1"))
        assert await payloads(store) == []

    async def test_a_query_sees_all_that_was_committed_before(self, store: Store) -> None:
        """Right after a transaction its effect is seen."""
        for number in range(20):
            await store.transact(appending(b"%d" % number))
            assert len(await payloads(store)) == number + 1

    async def test_the_exception_of_a_query_comes_out(self, store: Store) -> None:
        """And the next query is answered."""

        def work(ledger: Ledger) -> None:
            ledger.fact("a")
            raise BoomError

        with pytest.raises(BoomError):
            await store.query(work)
        assert await store.query(lambda ledger: ledger.fact("a")) is None

    async def test_nothing_a_query_writes_is_kept(self, store: Store) -> None:
        """A query only reads, whatever it tries."""
        with contextlib.suppress(Exception):
            await store.query(appending(b"no"))
        await store.transact(appending(b"yes"))
        assert await payloads(store) == [b"yes"]

    async def test_a_cancelled_caller_harms_nobody(self, store: Store) -> None:
        """His work, once called, is run all the same; the others of the batch get their results."""
        calls = [asyncio.ensure_future(store.transact(appending(b"%d" % n))) for n in range(5)]
        await asyncio.sleep(0)  # all have called
        calls[1].cancel()
        calls[3].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        cancelled = [isinstance(result, asyncio.CancelledError) for result in results]
        assert cancelled == [False, True, False, True, False]
        assert await payloads(store) == [b"0", b"1", b"2", b"3", b"4"]

    async def test_what_was_acknowledged_survives_a_crash(self, store: Store, crash: Crash) -> None:
        """Everything whose result came out is there after a kill, as it was."""
        entry = await store.transact(lambda ledger: ledger.put(letter("1")))
        assert entry is not None
        await store.transact(lambda ledger: ledger.begin(entry))
        await store.transact(appending(b"1"))
        await store.transact(lambda ledger: ledger.set_fact("a", "b"))
        again = await crash()
        assert await payloads(again) == [b"1"]
        begun = await again.query(lambda ledger: ledger.begun(AMOCRM))
        assert [found.id for found in begun] == [entry]
        assert await again.query(lambda ledger: ledger.fact("a")) == "b"
