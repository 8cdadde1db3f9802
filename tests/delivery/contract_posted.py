"""The contract of every store: what the relay itself put into amoCRM in the bot's name."""

from __future__ import annotations

from relay.delivery.store import Store
from relay.domain.ids import ConversationId, CrmMessageId, MessageId
from tests.delivery.contract_transactions import Crash
from tests.delivery.store_samples import CRM_FIRST, CRM_SECOND

_HERE, _THERE = ConversationId("wa-1-2"), ConversationId("wa-1-3")
_ONE, _TWO = MessageId("wa-1-A"), MessageId("wa-1-B")


async def post(
    store: Store,
    message: MessageId,
    crm_id: CrmMessageId | None,
    where: ConversationId = _HERE,
) -> None:
    await store.transact(lambda ledger: ledger.post(message, where, crm_id))


async def posted(store: Store, crm_id: CrmMessageId) -> bool:
    return await store.query(lambda ledger: ledger.posted(crm_id))


async def nameless(store: Store, where: ConversationId = _HERE) -> list[MessageId]:
    return list(await store.query(lambda ledger: ledger.nameless(where)))


async def hear(store: Store, now_ms: int) -> None:
    """Let the store hear what time it is, by a row that is read already."""
    await store.transact(lambda ledger: ledger.append_read("amocrm", b"", "t", now_ms, None))


class PostedContract:
    """Known by amoCRM's id, or as one whose id was not told."""

    async def test_what_was_posted_is_known_by_its_id(self, store: Store, crash: Crash) -> None:
        """By that alone, and by another process too."""
        await post(store, _ONE, CRM_FIRST)
        again = await crash()
        assert await posted(again, CRM_FIRST)
        assert not await posted(again, CRM_SECOND)
        assert await nameless(again) == []

    async def test_what_has_no_id_is_known_by_its_conversation(self, store: Store) -> None:
        """In the order of our ids, until an id is told, which is never forgotten again."""
        await post(store, _TWO, None)
        await post(store, _ONE, None)
        await post(store, _ONE, None, _THERE)
        assert await nameless(store) == [_TWO]
        assert await nameless(store, _THERE) == [_ONE]
        await post(store, _TWO, CRM_FIRST)
        await post(store, _TWO, None)
        assert await nameless(store) == []
        assert await posted(store, CRM_FIRST)

    async def test_it_is_forgotten_in_time(self, store: Store) -> None:
        """As links are: by the latest time the store had heard."""

        await hear(store, 1_000)
        await post(store, _ONE, CRM_FIRST)
        await hear(store, 2_000)
        await post(store, _TWO, None)
        assert await store.transact(lambda ledger: ledger.tidy(1_001, 99)) == 2
        assert not await posted(store, CRM_FIRST)
        assert await nameless(store) == [_TWO]
