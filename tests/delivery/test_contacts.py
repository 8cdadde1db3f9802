"""When a card is looked at: once, after the client's first message, and beside the messages."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.contacts import SETTLING_MS, client_of
from relay.domain.bodies import PhoneRewrite
from relay.domain.ids import ClientAddress, ConversationId, CrmChatId
from relay.domain.message import Alias, Client, Origin
from relay.domain.outbox import Delivered, Retry
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import OWN, World, from_client, running, written

ID = ConversationId("wa-74950000001-79001234567")
LANE = f"phones:{ID}"


async def rewrites(world: World) -> list[PhoneRewrite]:
    """What has been asked of cards, once everything has had its time."""
    await settle()
    await world.clock.advance_ms(SETTLING_MS)
    await settle()
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [body for body in bodies if isinstance(body, PhoneRewrite)]


async def test_the_first_message_of_a_client_asks_for_it_once() -> None:
    """One letter for a conversation, however much the client writes."""
    async with running(phone_8_to_7=True) as world:
        await world.hear(from_client("A1"))
        await world.hear(from_client("A1"), from_client("A2"))
        assert await rewrites(world) == [PhoneRewrite(ID)]
        await world.hear(from_client("A3"))
        assert len(await rewrites(world)) == 1


async def test_it_follows_the_message_itself() -> None:
    """amoCRM makes the card with the message, so it is looked at some seconds later."""
    async with running(phone_8_to_7=True) as world:
        await world.hear(from_client("A1"))
        await settle()
        assert world.into_amocrm.keys == ["message:wa-74950000001-A1"]
        await rewrites(world)
        assert world.into_amocrm.keys == ["message:wa-74950000001-A1", f"phones:{ID}"]


async def test_it_holds_nothing_up() -> None:
    """While a card cannot be looked at, the client's messages go on into amoCRM."""
    async with running(phone_8_to_7=True) as world:
        world.into_amocrm.plan(LANE, *[Retry("no")] * 5)
        await world.hear(from_client("A1"))
        await rewrites(world)
        await world.hear(from_client("A2"))
        await settle()
        assert world.into_amocrm.keys[-1] == "message:wa-74950000001-A2"


async def test_without_the_setting_nothing_is_asked() -> None:
    """Neither by default, nor for a client met before it was switched on."""
    async with running() as world:
        await world.hear(from_client("A1"))
        world.settings = replace(world.settings, phone_8_to_7=True)
        await world.hear(from_client("A2"))
        assert await rewrites(world) == []


async def test_other_countries_and_own_messages_ask_for_nothing() -> None:
    """A foreign number has no such form; what the owner wrote is no incoming message."""
    own = replace(from_client("P1"), origin=Origin.PHONE)
    async with running(phone_8_to_7=True, import_sent_from_phone=True) as world:
        await world.hear(from_client("A1", client="375291234567"), own)
        assert await rewrites(world) == []
        await world.hear(from_client("A2"))
        assert await rewrites(world) == [PhoneRewrite(ID)]


async def test_an_answer_to_a_manager_who_wrote_first_asks_for_it() -> None:
    """His first incoming message, though the chat is older."""
    async with running(phone_8_to_7=True) as world:
        await world.hook(written("m-1", conversation=None))
        assert await rewrites(world) == []
        await world.hear(from_client("A1"))
        assert await rewrites(world) == [PhoneRewrite(ID)]


async def test_a_hidden_number_that_becomes_known_is_looked_at() -> None:
    """Whoever comes by a hidden address is asked for too; his number may be known by then."""
    hidden = ClientAddress("lid:123")
    store = MemoryStore()
    message = replace(from_client("A1"), client=Client(hidden, None, "Анна"))
    async with running(store, phone_8_to_7=True) as world:
        await world.hear(message)
        await world.hear(Alias(OWN, hidden, ClientAddress("79001234567")))
        [wish] = await rewrites(world)
        found = await client_of(store, wish.conversation)
    assert found is not None
    assert found.client.phone == "+79001234567"


async def test_amocrms_answer_tells_the_chat() -> None:
    """The chat that a message went into is kept, and one that is known already stays."""
    store = MemoryStore()
    async with running(store) as world:
        first, second = CrmChatId("chat-9"), CrmChatId("chat-8")
        world.into_amocrm.plan(f"in:{ID}", Delivered("m-1", first), Delivered("m-2", second))
        for message in ("A1", "A2"):
            await world.hear(from_client(message))
            await settle()
        found = await client_of(store, ID)
        assert found is not None
        assert (found.crm_chat, found.crm_bound) == (first, True)
        assert await store.query(lambda ledger: ledger.conversation_of_chat(first)) == found
