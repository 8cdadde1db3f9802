"""The contract of every store: conversations, pairs of ids, what amoCRM was told, facts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from relay.delivery.ledger import (
    Conversation,
    Ledger,
    Link,
)
from relay.delivery.store import Store
from relay.domain.ids import ClientAddress, ConversationId, CrmChatId, CrmPersonId, OwnNumber
from relay.domain.message import Client, Receipt, Status
from relay.domain.phone_check import PhoneCheck, PhoneState
from tests.delivery.contract_transactions import Crash
from tests.delivery.store_samples import (
    CRM_FIRST,
    CRM_SECOND,
    FIRST,
    OTHER_OWN,
    OWN,
    SECOND,
    receipt,
)

_ANNA = Client(ClientAddress("79001234567"), "+79001234567", "Анна")
_HIDDEN = Client(ClientAddress("lid:1234"))
_CONVERSATION = Conversation(ConversationId("wa-74950000001-79001234567"), OWN, _ANNA)
_OTHER = Conversation(ConversationId("wa-74950000001-lid:1234"), OWN, _HIDDEN)
_CHAT, _LATER_CHAT = CrmChatId("chat-1"), CrmChatId("chat-2")


async def save(store: Store, conversation: Conversation) -> None:
    await store.transact(lambda ledger: ledger.save_conversation(conversation))


async def of_chat(store: Store, chat: CrmChatId) -> Conversation | None:
    return await store.query(lambda ledger: ledger.conversation_of_chat(chat))


async def alias(store: Store, own: OwnNumber, address: ClientAddress) -> ConversationId | None:
    return await store.query(lambda ledger: ledger.alias(own, address))


async def check_of(store: Store, number: str) -> PhoneCheck | None:
    return await store.query(lambda ledger: ledger.phone_check(number))


async def spend(store: Store, token: str, now_ms: int) -> bool:
    return await store.transact(lambda ledger: ledger.spend(token, 1_000, now_ms))


def _save_alias(ledger: Ledger, conversation: ConversationId) -> None:
    ledger.save_alias(OWN, _HIDDEN.address, conversation)


def _save_check(ledger: Ledger, number: str, check: PhoneCheck) -> None:
    ledger.save_phone_check(number, check)


async def link(store: Store, new: Link) -> Receipt | None:
    return await store.transact(lambda ledger: ledger.link(new))


async def early(store: Store, came: Receipt, now_ms: int = 5_000) -> None:
    await store.transact(lambda ledger: ledger.early_receipt(came, came.ids[0], now_ms))


async def told(store: Store, status: Status) -> bool:
    return await store.transact(lambda ledger: ledger.told(CRM_FIRST, status))


async def hear(store: Store, now_ms: int) -> None:
    """Let the store hear what time it is."""
    await store.transact(lambda ledger: ledger.append("amocrm", b"", "t", now_ms))


class ConversationContract:
    """Who talks with whom, and in which of amoCRM's chats."""

    @pytest.mark.parametrize(
        "conversation",
        [
            _CONVERSATION,
            _OTHER,
            replace(_CONVERSATION, crm_chat=_CHAT, crm_client=CrmPersonId("p"), crm_bound=True),
            replace(_CONVERSATION, since_ms=1_770_000_000_000, wrote=True),
        ],
    )
    async def test_a_conversation_comes_out_as_saved(
        self, store: Store, conversation: Conversation
    ) -> None:
        """Every field is kept; an id nobody saved leads to nothing."""
        assert await store.query(lambda ledger: ledger.conversation(conversation.id)) is None
        await save(store, conversation)
        found = await store.query(lambda ledger: ledger.conversation(conversation.id))
        assert found == conversation

    async def test_saving_again_replaces(self, store: Store) -> None:
        """The latest saving of an id counts, in every field, and touches no other."""
        await save(store, replace(_CONVERSATION, crm_chat=_CHAT, crm_bound=True))
        await save(store, _OTHER)
        latest = replace(_CONVERSATION, client=replace(_ANNA, name=None), own=OTHER_OWN)
        await save(store, latest)
        found = await store.query(lambda ledger: ledger.conversation(_CONVERSATION.id))
        assert found == latest
        assert await store.query(lambda ledger: ledger.conversation(_OTHER.id)) == _OTHER

    async def test_every_chat_leads_to_its_conversation(self, store: Store) -> None:
        """The latest chat and the earlier ones lead to the conversation as it is now."""
        assert await of_chat(store, _CHAT) is None
        await save(store, replace(_CONVERSATION, crm_chat=_CHAT))
        latest = replace(_CONVERSATION, crm_chat=_LATER_CHAT, crm_bound=True)
        await save(store, latest)
        assert [await of_chat(store, chat) for chat in (_CHAT, _LATER_CHAT)] == [latest, latest]

    async def test_a_chat_follows_the_latest_saving(self, store: Store) -> None:
        """A chat saved with another conversation leads there from now on."""
        await save(store, replace(_CONVERSATION, crm_chat=_CHAT))
        other = replace(_OTHER, crm_chat=_CHAT)
        await save(store, other)
        assert await of_chat(store, _CHAT) == other


class AddressContract:
    """By which other addresses a client comes, and what is known of his number."""

    async def test_an_address_leads_where_it_was_last_told_to(self, store: Store) -> None:
        """By own number and address; an address nobody told of leads nowhere."""
        for target in (_OTHER.id, _CONVERSATION.id):
            await store.transact(partial(_save_alias, conversation=target))
        assert await alias(store, OWN, _HIDDEN.address) == _CONVERSATION.id
        assert await alias(store, OTHER_OWN, _HIDDEN.address) is None
        assert await alias(store, OWN, _ANNA.address) is None

    async def test_what_is_known_of_a_number_is_the_latest(self, store: Store) -> None:
        """Both states come out as saved, with their time; a number nobody asked for is None."""
        known = PhoneCheck(PhoneState.REGISTERED, 1_000)
        latest = PhoneCheck(PhoneState.NOT_REGISTERED, 2_000)
        for number, check in (("79001234567", known), ("79001234568", known)):
            await store.transact(partial(_save_check, number=number, check=check))
        await store.transact(partial(_save_check, number="79001234567", check=latest))
        assert await check_of(store, "79001234567") == latest
        assert await check_of(store, "79001234568") == known
        assert await check_of(store, "79001234569") is None

    async def test_addresses_and_checks_survive(self, store: Store, crash: Crash) -> None:
        """Neither a crash nor tidying forgets them."""
        known = PhoneCheck(PhoneState.REGISTERED, 1_000)
        await store.transact(partial(_save_check, number="79001234567", check=known))
        await store.transact(partial(_save_alias, conversation=_CONVERSATION.id))
        again = await crash()
        assert await again.transact(lambda ledger: ledger.tidy(10**15, 99)) == 0
        assert await alias(again, OWN, _HIDDEN.address) == _CONVERSATION.id
        assert await check_of(again, "79001234567") == known


class LinkContract:
    """Which message is which, and what amoCRM knows of it."""

    async def test_a_pair_is_found_by_whatsapps_id(self, store: Store) -> None:
        """By own number and id; a pair nobody kept is not found."""
        kept = Link(OWN, FIRST, CRM_FIRST)
        assert await link(store, kept) is None
        assert await store.query(lambda ledger: ledger.linked(OWN, FIRST)) == kept
        assert await store.query(lambda ledger: ledger.linked(OTHER_OWN, FIRST)) is None
        assert await store.query(lambda ledger: ledger.linked(OWN, SECOND)) is None

    async def test_a_pair_is_found_by_amocrms_id(self, store: Store) -> None:
        """With what amoCRM was told; an id nobody kept is not found."""
        kept = Link(OWN, FIRST, CRM_FIRST, Status.READ)
        await link(store, kept)
        assert await store.query(lambda ledger: ledger.link_of(CRM_FIRST)) == kept
        assert await store.query(lambda ledger: ledger.link_of(CRM_SECOND)) is None

    async def test_a_pair_kept_again_is_replaced(self, store: Store) -> None:
        """The latest id of the CRM counts."""
        await link(store, Link(OWN, FIRST, CRM_FIRST))
        await link(store, Link(OWN, FIRST, CRM_SECOND))
        found = await store.query(lambda ledger: ledger.linked(OWN, FIRST))
        assert found == Link(OWN, FIRST, CRM_SECOND)

    async def test_a_link_returns_the_receipt_that_was_early(self, store: Store) -> None:
        """Once: the receipt is handed out with its link, and is gone."""
        await early(store, receipt(Status.DELIVERED, at_ms=4_321))
        await early(store, receipt(Status.READ, SECOND))
        expected = Receipt(OWN, (FIRST,), Status.DELIVERED, 4_321)
        assert await link(store, Link(OWN, FIRST, CRM_FIRST)) == expected
        assert await link(store, Link(OWN, FIRST, CRM_FIRST)) is None

    async def test_an_early_receipt_is_of_one_message(self, store: Store) -> None:
        """A receipt for several messages is handed out for each alone."""
        both = Receipt(OWN, (FIRST, SECOND), Status.READ, 4_000)
        await store.transact(lambda ledger: ledger.early_receipt(both, SECOND, 5_000))
        assert await link(store, Link(OWN, FIRST, CRM_FIRST)) is None
        got = await link(store, Link(OWN, SECOND, CRM_SECOND))
        assert got == Receipt(OWN, (SECOND,), Status.READ, 4_000)

    @pytest.mark.parametrize(
        ("statuses", "furthest"),
        [
            ((Status.DELIVERED, Status.READ), 1),
            ((Status.READ, Status.DELIVERED), 0),
            ((Status.READ, Status.READ), 0),
            ((Status.FAILED, Status.DELIVERED, Status.FAILED), 1),
        ],
    )
    async def test_the_furthest_early_receipt_is_kept(
        self, store: Store, statuses: tuple[Status, ...], furthest: int
    ) -> None:
        """Of several early receipts the furthest counts, the first of equals."""
        for index, status in enumerate(statuses):
            await early(store, receipt(status, at_ms=100 + index))
        got = await link(store, Link(OWN, FIRST, CRM_FIRST))
        assert got == Receipt(OWN, (FIRST,), statuses[furthest], 100 + furthest)

    async def test_what_was_told_only_steps_forward(self, store: Store) -> None:
        """Sent, failed, delivered, read: each is told once, and never after a later one."""
        await link(store, Link(OWN, FIRST, CRM_FIRST))
        steps = [Status.SENT, Status.FAILED, Status.FAILED, Status.SENT, Status.READ]
        steps += [Status.DELIVERED, Status.READ]
        assert [await told(store, status) for status in steps] == [
            False, True, False, False, True, False, False,
        ]  # fmt: skip
        found = await store.query(lambda ledger: ledger.linked(OWN, FIRST))
        assert found == Link(OWN, FIRST, CRM_FIRST, Status.READ)

    async def test_a_message_without_a_link_is_told_of_too(self, store: Store) -> None:
        """One that failed before WhatsApp gave it an id; a later link knows of it."""
        assert await told(store, Status.FAILED)
        assert not await told(store, Status.FAILED)
        await link(store, Link(OWN, FIRST, CRM_FIRST))
        found = await store.query(lambda ledger: ledger.linked(OWN, FIRST))
        assert found == Link(OWN, FIRST, CRM_FIRST, Status.FAILED)

    async def test_a_link_may_come_with_what_was_told(self, store: Store) -> None:
        """The status a link is kept with counts as told, unless a later one was."""
        await link(store, Link(OWN, FIRST, CRM_FIRST, Status.DELIVERED))
        assert not await told(store, Status.DELIVERED)
        assert await told(store, Status.READ)
        await link(store, Link(OWN, SECOND, CRM_FIRST, Status.DELIVERED))
        found = await store.query(lambda ledger: ledger.linked(OWN, SECOND))
        assert found == Link(OWN, SECOND, CRM_FIRST, Status.READ)

    async def test_old_links_are_forgotten(self, store: Store) -> None:
        """A link is as old as the time the store had last heard; what was told likewise."""
        await hear(store, 1_000)
        await link(store, Link(OWN, FIRST, CRM_FIRST, Status.READ))
        await hear(store, 2_000)
        await link(store, Link(OWN, SECOND, CRM_SECOND))
        assert await store.transact(lambda ledger: ledger.tidy(1_000, 9)) == 0
        assert await store.transact(lambda ledger: ledger.tidy(1_001, 9)) == 2
        assert await store.query(lambda ledger: ledger.linked(OWN, FIRST)) is None
        assert await store.query(lambda ledger: ledger.linked(OWN, SECOND)) is not None
        assert await told(store, Status.DELIVERED)

    async def test_the_time_last_heard_survives(self, store: Store, crash: Crash) -> None:
        """After a crash a link is no older than the last row of the journal."""
        await hear(store, 1_000)
        again = await crash()
        await link(again, Link(OWN, FIRST, CRM_FIRST))
        assert await again.transact(lambda ledger: ledger.tidy(1_000, 9)) == 0
        assert await again.transact(lambda ledger: ledger.tidy(1_001, 9)) == 1

    async def test_old_early_receipts_are_forgotten(self, store: Store) -> None:
        """A receipt whose link never came goes too, by the time it was kept."""
        await early(store, receipt(Status.READ, FIRST, at_ms=1), now_ms=1_000)
        await early(store, receipt(Status.READ, SECOND, at_ms=1), now_ms=2_000)
        assert await store.transact(lambda ledger: ledger.tidy(2_000, 9)) == 1
        assert await link(store, Link(OWN, FIRST, CRM_FIRST)) is None
        assert await link(store, Link(OWN, SECOND, CRM_SECOND)) is not None

    async def test_conversations_are_never_forgotten(self, store: Store) -> None:
        """Tidying takes no conversation, no chat and no fact."""
        conversation = replace(_CONVERSATION, crm_chat=_CHAT)
        await save(store, conversation)
        await store.transact(lambda ledger: ledger.set_fact("a", "b"))
        assert await store.transact(lambda ledger: ledger.tidy(10**15, 99)) == 0
        assert await of_chat(store, _CHAT) == conversation
        assert await store.query(lambda ledger: ledger.fact("a")) == "b"


class FactContract:
    """Facts that outlive the process."""

    async def test_a_token_is_used_once(self, store: Store, crash: Crash) -> None:
        """A one-time token is taken once until it ends, also by another process."""
        assert await spend(store, "a", 0)
        assert await spend(store, "b", 0)
        assert not await spend(store, "a", 999)
        reopened = await crash()
        assert not await spend(reopened, "b", 999)
        assert await spend(reopened, "a", 1_000)

    async def test_the_latest_value_of_a_fact_counts(self, store: Store) -> None:
        """A fact nobody set is None; setting it again replaces it, and it alone."""
        assert await store.query(lambda ledger: ledger.fact("number.sales")) is None
        await store.transact(lambda ledger: ledger.set_fact("number.sales", "1"))
        await store.transact(lambda ledger: ledger.set_fact("number.support", ""))
        await store.transact(lambda ledger: ledger.set_fact("number.sales", "2"))
        assert await store.query(lambda ledger: ledger.fact("number.sales")) == "2"
        assert await store.query(lambda ledger: ledger.fact("number.support")) == ""
