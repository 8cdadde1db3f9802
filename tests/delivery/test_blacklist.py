"""Listed numbers, from what comes in to what amoCRM is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.delivery.ledger import Ledger
from relay.domain.blacklist import Blacklist
from relay.domain.bodies import StatusUpdate
from relay.domain.contents import UNDECRYPTABLE, Unsupported
from relay.domain.ids import ClientAddress, ConversationId, OwnNumber
from relay.domain.message import (
    Alias,
    Client,
    Origin,
    Received,
    Status,
)
from relay.domain.outbox import Retry
from relay.domain.pacing import Pace
from relay.domain.retry import SECOND
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import OWN, SALES, World, from_client, receipt, running, written

LISTED = Blacklist.compiled(["+79001234567", "+7900555*"])
ID = ConversationId("wa-74950000001-79001234567")
HIDDEN = ClientAddress("lid:4711")
ALIAS = Alias(OWN, HIDDEN, ClientAddress("79001234567"))


def hidden(id_: str) -> Received:
    """The listed client writes, and WhatsApp does not tell his number."""
    return replace(from_client(id_), client=Client(HIDDEN, None, "Анна"))


def rules(world: World) -> list[str | None]:
    return [step.detail for step in world.steps if step.event == "ignored"]


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("client", ["79001234567", "79005550000"])
async def test_nothing_of_his_enters_and_nothing_is_begun(origin: Origin, client: str) -> None:
    """No message, no conversation, nothing known of his number: only a line in the log."""
    store = MemoryStore()
    async with running(store, blacklist=LISTED, import_sent_from_phone=True) as world:
        await world.hear(replace(from_client("A1", client=client), origin=origin))
        await world.hear(
            replace(from_client("A2", client=client), content=Unsupported(UNDECRYPTABLE))
        )
        await settle()

        def nothing_known(ledger: Ledger) -> bool:
            id_ = ConversationId(f"wa-{OWN}-{client}")
            return ledger.conversation(id_) is None and ledger.phone_check(client) is None

        assert await store.query(nothing_known)
    assert world.into_amocrm.carried == []
    assert rules(world) == ["blacklist", "blacklist"]


async def test_what_a_manager_writes_to_him_is_sent_and_its_status_told() -> None:
    """The list closes the way in, not the way out."""
    async with running(blacklist=LISTED) as world:
        await world.hook(written("m-1"))
        await settle()
        await world.hear(receipt(Status.READ, "ref-reply:m-1"), from_client("A1"))
    assert world.to_whatsapp.keys == ["reply:m-1"]
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    assert [(type(body), getattr(body, "status", None)) for body in bodies] == [
        (StatusUpdate, Status.READ)
    ]


async def test_his_answer_makes_him_no_stranger_though_it_does_not_enter() -> None:
    """Messages to somebody who has written are not counted as to strangers, listed or not."""
    store = MemoryStore()
    paced = replace(SALES, pace=Pace(per_minute=1, per_hour=9, per_day=9))
    async with running(store, blacklist=LISTED, channels={SALES.id: paced}) as world:
        await world.hook(written("m-1"))
        await settle()
        await world.hook(written("m-2"))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"], "the second waits for its turn"
        await world.hear(from_client("A1"))
        await settle()
        known = await store.query(lambda ledger: ledger.conversation(ID))
    assert known is not None
    assert known.wrote
    assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]
    assert world.into_amocrm.carried == []


async def test_a_hidden_address_whose_number_was_learnt_is_that_number() -> None:
    """Once WhatsApp has told the number, whatever comes by the hidden address is kept out."""
    async with running(blacklist=LISTED) as world:
        await world.hear(ALIAS)
        await world.hear(hidden("A1"))
        await world.hear(ALIAS, hidden("A2"))
    assert world.into_amocrm.carried == []
    assert rules(world) == ["blacklist", "blacklist"]


async def test_a_number_learnt_in_time_stops_what_waits_for_it() -> None:
    """A first message by a hidden address is held for its number: a listed one ends it there."""
    async with running(blacklist=LISTED) as world:
        await world.hear(hidden("A1"), hidden("A2"))
        await settle()
        await world.hear(ALIAS)
        await world.clock.advance_ms(60 * SECOND)
        await world.hear(hidden("A3"))
    assert world.into_amocrm.carried == []


async def test_a_number_learnt_late_stops_what_amocrm_has_not_taken_yet() -> None:
    """What is being tried again when the number becomes known is not tried any more."""
    async with running(blacklist=LISTED) as world:
        world.into_amocrm.plan(f"in:wa-{OWN}-{HIDDEN}", *[Retry("down")] * 3)
        await world.hear(hidden("A1"))
        await world.clock.advance_ms(3 * SECOND)
        tried = len(world.into_amocrm.carried)
        assert tried
        await world.hear(ALIAS)
        await world.clock.advance_ms(600 * SECOND)
    assert len(world.into_amocrm.carried) == tried


async def test_the_list_of_one_moment_is_the_one_that_counts() -> None:
    """A number taken off the list enters with its next message; what was kept out stays out."""
    async with running(blacklist=LISTED) as world:
        await world.hear(from_client("A1"))
        world.settings = replace(world.settings, blacklist=Blacklist())
        await world.hear(from_client("A2"))
        world.settings = replace(world.settings, blacklist=LISTED)
        await world.hear(from_client("A3"))
    assert world.into_amocrm.keys == [f"message:wa-{OWN}-A2"]


async def test_the_list_is_for_every_channel() -> None:
    """Whichever of our numbers he writes to."""
    async with running(blacklist=LISTED) as world:
        await world.hear(replace(from_client("A1"), own=OwnNumber("74950000002")))
    assert rules(world) == ["blacklist"]
