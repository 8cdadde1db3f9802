"""What the tests of a store do to it and ask of it, one call each."""

from __future__ import annotations

from collections.abc import Collection

from relay.delivery.store import Store
from relay.domain.outbox import (
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
)
from tests.delivery.store_samples import (
    ACCEPTED_MS,
    AMOCRM,
    HORIZON_MS,
)

PENDING, BEGUN = EntryState.PENDING, EntryState.BEGUN
DELIVERED, DEAD = EntryState.DELIVERED, EntryState.DEAD


async def put(store: Store, new: Letter) -> EntryId:
    entry = await store.transact(lambda ledger: ledger.put(new))
    assert entry is not None
    return entry


async def settle(
    store: Store, entry: EntryId, state: EntryState, due_ms: int = 2_000, now_ms: int = 2_000
) -> None:
    await store.transact(
        lambda ledger: ledger.settle(
            entry, state, attempts=1, due_ms=due_ms, now_ms=now_ms, error="why"
        )
    )


async def begin(store: Store, entry: EntryId) -> None:
    await store.transact(lambda ledger: ledger.begin(entry))


async def due(
    store: Store,
    now_ms: int = ACCEPTED_MS,
    *,
    to: Destination = AMOCRM,
    limit: int = 99,
    busy: Collection[EntryId] = (),
    horizon_ms: int = HORIZON_MS,
) -> list[EntryId]:
    heads = await store.query(lambda ledger: ledger.due(to, now_ms, limit, busy, horizon_ms))
    return [head.id for head in heads]


async def next_due_ms(store: Store, *busy: EntryId, to: Destination = AMOCRM) -> int | None:
    return await store.query(lambda ledger: ledger.next_due_ms(to, busy))


async def kept(store: Store, entry: EntryId) -> Entry:
    found = await store.query(lambda ledger: ledger.entry(entry))
    assert found is not None
    return found
