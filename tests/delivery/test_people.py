"""One client is one conversation, whichever of his addresses he comes by and when it is learnt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.holding import STRANGER_MS
from relay.delivery.ledger import Conversation
from relay.delivery.people import conversation_of, learn, meet
from relay.delivery.store import Store
from relay.domain.bodies import NewMessage, Reply
from relay.domain.ids import ClientAddress, ConversationId
from relay.domain.message import (
    Alias,
    Client,
    Failure,
    Origin,
    Received,
)
from relay.domain.outbox import Delivered
from relay.domain.phone_check import PhoneCheck, PhoneState
from relay.domain.reasons import Reason
from relay.domain.retry import DAY, HOUR
from relay.domain.texts import reason_text
from tests.clock import settle
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.memory_store import MemoryStore
from tests.delivery.memory_tables import HeardTime, Tables
from tests.delivery.test_flow import bodies, statuses
from tests.delivery.world import OWN, SETTINGS, World, from_client, running, written

NUMBER, HIDDEN = ClientAddress("79001234567"), ClientAddress("lid:100")
BY_NUMBER = ConversationId(f"wa-{OWN}-{NUMBER}")
BY_HIDDEN = ConversationId(f"wa-{OWN}-{HIDDEN}")
SAME = Alias(OWN, HIDDEN, NUMBER)


def hidden(id_: str) -> Received:
    """A message of the client under his hidden address, with no number beside it."""
    return replace(from_client(id_), client=Client(HIDDEN, None, "Анна"))


def told(world: World) -> list[tuple[str, str, str | None]]:
    """Which conversation, client and phone amoCRM was told with each message."""
    return [
        (body.conversation, body.client.address, body.client.phone)
        for body in bodies(world)
        if isinstance(body, NewMessage)
    ]


async def conversation(store: Store, id_: ConversationId) -> Conversation | None:
    return await store.query(lambda ledger: ledger.conversation(id_))


async def test_a_hidden_address_whose_number_is_known_comes_into_the_numbers_conversation() -> None:
    """Also if nobody has written by the number yet: amoCRM never sees a contact without it."""
    async with running() as world:
        await world.hear(SAME, hidden("A1"))
        await world.hear(hidden("A2"))
        await world.hear(from_client("A3"))
    assert told(world) == [(BY_NUMBER, NUMBER, f"+{NUMBER}")] * 3


async def test_a_number_learnt_late_does_not_end_the_conversation() -> None:
    """The old conversation goes on under its id, and has a phone from now on."""
    async with running() as world:
        await world.hear(hidden("A1"))
        await world.clock.advance_ms(STRANGER_MS)
        await world.hear(SAME)
        await world.hear(hidden("A2"))
        await world.hear(from_client("A3"))
    assert told(world) == [
        (BY_HIDDEN, HIDDEN, None),
        (BY_HIDDEN, HIDDEN, f"+{NUMBER}"),
        (BY_HIDDEN, HIDDEN, f"+{NUMBER}"),
    ]


async def test_a_hidden_address_learnt_late_leads_to_the_old_conversation() -> None:
    """Known by number first: what comes by the hidden address goes on there."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await world.hear(SAME)
        await world.hear(hidden("A2"))
    assert told(world) == [(BY_NUMBER, NUMBER, f"+{NUMBER}")] * 2


@pytest.mark.parametrize("older", ["number", "hidden"])
async def test_of_two_conversations_of_one_client_the_older_goes_on(older: str) -> None:
    """Both addresses lead to the older one; what the manager writes in either is sent."""
    async with running() as world:
        first, second = from_client("A1"), hidden("A2")
        if older == "hidden":
            first, second = second, first
        await world.hear(first)
        await world.clock.advance_ms(STRANGER_MS)
        await world.hear(second)
        await world.clock.advance_ms(STRANGER_MS)
        await world.hear(SAME)
        await world.hear(hidden("A3"))
        await world.hear(from_client("A4"))
        await settle()
        await world.hook(written("m-1", conversation=BY_NUMBER))
        await world.hook(written("m-2", conversation=BY_HIDDEN))
    expected = BY_NUMBER if older == "number" else BY_HIDDEN
    assert [id_ for id_, _, _ in told(world)][2:] == [expected] * 2
    assert {phone for _, _, phone in told(world)[2:]} == {f"+{NUMBER}"}
    sent = [entry.letter.body for entry in world.to_whatsapp.carried]
    assert {(b.conversation, b.to) for b in sent if isinstance(b, Reply)} == {
        (BY_NUMBER, NUMBER),
        (BY_HIDDEN, HIDDEN),
    }


async def test_what_was_known_of_the_client_is_not_forgotten() -> None:
    """The conversation that goes on knows that he wrote, and his name, from the other one."""
    store = MemoryStore()
    async with running(store) as world:
        await world.hook(written("m-1", conversation=None))
        await settle()
        await world.clock.advance_ms(STRANGER_MS)
        await world.hear(hidden("A1"))
        await world.hear(SAME)
        await world.clock.advance_ms(STRANGER_MS)
        kept = await conversation(store, BY_NUMBER)
    assert kept is not None
    assert (kept.wrote, kept.client.name) == (True, "Анна")


async def test_write_first_and_an_answer_by_hidden_address_are_one_chat() -> None:
    """amoCRM began the chat with the number; the answer names that very chat."""
    async with running() as world:
        await world.hook(written("m-1", conversation=None))
        await settle()
        await world.hear(SAME)
        await world.hear(hidden("A1"))
    [body] = bodies(world)
    assert isinstance(body, NewMessage)
    assert (body.conversation, body.crm_chat) == (BY_NUMBER, "chat-1")


async def test_write_first_to_a_client_known_by_hidden_address_goes_on_there() -> None:
    """A new chat to his number is his old conversation, with the new chat."""
    store = MemoryStore()
    async with running(store) as world:
        await world.hear(hidden("A1"))
        await world.hear(SAME)
        await settle()
        await world.hook(written("m-1", conversation=None))
        await settle()
        kept = await conversation(store, BY_HIDDEN)
        assert await conversation(store, BY_NUMBER) is None
    assert kept is not None
    assert kept.crm_chat == "chat-1"


async def test_a_client_with_a_new_number_is_answered_there() -> None:
    """The hidden address stays his when the number changes: so does the conversation."""
    newer = ClientAddress("79007654321")
    async with running() as world:
        await world.hear(SAME, from_client("A1"))
        await world.hear(Alias(OWN, HIDDEN, newer), from_client("A2", client=newer))
        await settle()
        await world.hook(written("m-1", conversation=BY_NUMBER))
    assert told(world)[1] == (BY_NUMBER, NUMBER, f"+{newer}")
    [entry] = world.to_whatsapp.carried
    assert isinstance(entry.letter.body, Reply)
    assert entry.letter.body.to == newer


@given(
    st.lists(
        st.tuples(st.sampled_from(["1", "2", "lid:1", "lid:2"]), st.sampled_from(["1", "2"])),
        max_size=12,
    )
)
def test_whatever_is_learnt_an_address_leads_to_one_conversation(
    steps: list[tuple[str, str]],
) -> None:
    """In any order of messages and news: once told the same client's, always one conversation."""
    ledger = MemoryLedger(Tables(), HeardTime())
    same: list[Alias] = []
    for now, (address, number) in enumerate(steps):
        if address.startswith("lid:"):
            same.append(Alias(OWN, ClientAddress(address), ClientAddress(number)))
            learn(ledger, same[-1])
            assert not learn(ledger, same[-1])
        else:
            message = replace(from_client("A1"), client=Client(ClientAddress(address)))
            met, _ = meet(ledger, message, now)
            ledger.save_conversation(met)
        for alias in same:
            hidden_way = conversation_of(ledger, OWN, alias.hidden)
            assert hidden_way == conversation_of(ledger, OWN, alias.number)


# --- Numbers that are on WhatsApp, or not ---------------------------------------------------------


async def test_a_client_who_writes_is_registered_for_free() -> None:
    """By the time of his message, and not written again for every word he says."""
    store = MemoryStore()
    async with running(store) as world:
        at_ms = world.clock.now_ms() - DAY
        for number, later_ms in enumerate((0, HOUR, HOUR + 1)):
            await world.hear(replace(from_client(f"A{number}"), sent_at_ms=at_ms + later_ms))
            await settle()
            check = await store.query(lambda ledger: ledger.phone_check(NUMBER))
            expected = at_ms + (later_ms if later_ms > HOUR else 0)
            assert check == PhoneCheck(PhoneState.REGISTERED, expected)


async def test_an_old_message_does_not_outweigh_a_later_answer() -> None:
    """What WhatsApp said after the message was written stands."""
    store = MemoryStore()
    async with running(store) as world:
        absent = PhoneCheck.answered(False, world.clock.now_ms())
        await store.transact(lambda ledger: ledger.save_phone_check(NUMBER, absent))
        await world.hear(replace(from_client("A1"), sent_at_ms=world.clock.now_ms() - HOUR))
        await settle()
        assert await store.query(lambda ledger: ledger.phone_check(NUMBER)) == absent


@pytest.mark.parametrize(("age_ms", "refused"), [(0, True), (DAY - 1, True), (DAY, False)])
async def test_a_number_known_to_be_absent_is_refused_unasked(age_ms: int, refused: bool) -> None:
    """For a day after WhatsApp's answer the manager gets 904 at once, and WhatsApp sees nothing."""
    store = MemoryStore()
    async with running(store) as world:
        absent = PhoneCheck.answered(False, world.clock.now_ms() - age_ms)
        await store.transact(lambda ledger: ledger.save_phone_check(NUMBER, absent))
        world.to_whatsapp.plan(f"out:{BY_NUMBER}", Delivered("3EB0"))
        await world.hook(written("m-1", conversation=None))
    assert len(world.to_whatsapp.carried) == (0 if refused else 1)
    if refused:
        [status] = statuses(world)
        reason = reason_text(Reason.NOT_ON_WHATSAPP, SETTINGS.language)
        assert (status.failure, status.reason) == (Failure.NO_SUCH_CLIENT, reason)


async def test_a_client_who_has_written_is_always_answered() -> None:
    """Whatever was said of his number since: sending will show."""
    store = MemoryStore()
    async with running(store) as world:
        await world.hear(from_client("A1"))
        await settle()
        absent = PhoneCheck.answered(False, world.clock.now_ms())
        await store.transact(lambda ledger: ledger.save_phone_check(NUMBER, absent))
        await world.hook(written("m-1"))
    assert len(world.to_whatsapp.carried) == 1


async def test_a_message_from_the_phone_proves_nothing() -> None:
    """What the owner typed may have gone to nobody."""
    store = MemoryStore()
    async with running(store, import_sent_from_phone=True) as world:
        await world.hear(replace(from_client("A1"), origin=Origin.PHONE))
        await settle()
        assert await store.query(lambda ledger: ledger.phone_check(NUMBER)) is None
        kept = await conversation(store, BY_NUMBER)
    assert kept is not None
    assert not kept.wrote
