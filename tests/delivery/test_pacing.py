"""Messages to people who have never written: counted, spaced, held; answers never are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
import structlog.testing

from relay.delivery.store import Store
from relay.domain.bodies import StatusUpdate
from relay.domain.ids import ClientAddress, CrmChatId, CrmMessageId
from relay.domain.message import Alias, Client, Written
from relay.domain.outbox import Closed, Dead, Outcome, Retry, Unknown
from relay.domain.pacing import Pace
from relay.domain.retry import DAY, HOUR, MINUTE, SECOND
from relay.domain.settings import Language
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.test_kills import DyingStore
from tests.delivery.world import OWN, SALES, World, from_client, running, written

PACE = Pace(per_minute=2, per_hour=4, per_day=6)
PACED = replace(SALES, pace=PACE)
GAP = 39 * SECOND  # 30 s, and what chance adds in these tests


@asynccontextmanager
async def paced(
    store: Store | None = None,
    clock: HandClock | None = None,
    *,
    language: Language = Language.RU,
    sent_ms: list[int] | None = None,
) -> AsyncIterator[World]:
    """A world whose one channel is paced; ``sent_ms`` gets the times of its sends."""

    def watch(world: World) -> None:
        if sent_ms is not None:
            world.to_whatsapp.on_carry = lambda: sent_ms.append(world.clock.now_ms())

    channels = {PACED.id: PACED}
    async with running(store, clock, before=watch, channels=channels, language=language) as world:
        yield world


def first(number: int) -> Written:
    """A manager writes first, to a client of his own."""
    return replace(
        written(f"m-{number}", None), chat=CrmChatId(f"chat-{number}"), phone=f"+7900000000{number}"
    )


def lane(number: int) -> str:
    return f"out:wa-74950000001-7900000000{number}"


def told(world: World) -> dict[CrmMessageId, str | None]:
    """What managers were told, by message."""
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return {body.message: body.reason for body in bodies if isinstance(body, StatusUpdate)}


def turns(world: World) -> list[int | None]:
    """For how long each message that was deferred was told to wait."""
    return [step.next_try_ms for step in world.steps if step.event.value == "deferred"]


async def test_strangers_are_written_to_one_after_the_other() -> None:
    """The first goes at once, the others a gap apart; each is deferred once, with its time."""
    async with paced() as world:
        for number in (1, 2, 3):
            await world.hook(first(number))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]
        assert turns(world) == [GAP, 2 * GAP]
        await world.clock.advance_ms(GAP)
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]
        await world.clock.advance_ms(GAP)
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2", "reply:m-3"]
        assert turns(world) == [GAP, 2 * GAP]


async def test_answers_go_at_once_whatever_waits() -> None:
    """Who has written is answered at once, in any number, and is counted nowhere."""
    async with paced() as world:
        for number in (1, 2, 3):
            await world.hook(first(number))
        await world.hear(from_client("A1"))
        for number in range(10):
            await world.hook(written(f"a-{number}"))
            await settle()
        answers = [key for key in world.to_whatsapp.keys if key.startswith("reply:a-")]
        assert len(answers) == 10
        await world.clock.advance_ms(2 * GAP)
        assert len(world.to_whatsapp.keys) == 13


async def test_a_client_who_writes_meanwhile_is_waited_for_no_longer() -> None:
    """His message frees what waited for him, at once and in order."""
    async with paced() as world:
        await world.hook(first(1))
        await world.hook(first(2))
        await world.hook(replace(first(2), id=CrmMessageId("m-2b")))
        await settle()
        await world.hear(from_client("A1", client="79000000002"))
        for _ in range(3):
            await settle()
    assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2", "reply:m-2b"]


async def test_who_wrote_under_a_hidden_address_is_no_stranger() -> None:
    """A message to his number waits for its turn; once they are known to be one, it goes."""
    hidden, number = ClientAddress("lid:100"), ClientAddress("79001234567")
    async with paced() as world:
        await world.hear(replace(from_client("A1"), client=Client(hidden, None, "Анна")))
        await world.clock.advance_ms(SECOND)
        await world.hook(first(1))
        await world.hook(replace(written("a-1", None), chat=CrmChatId("chat-a")))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]
        await world.hear(Alias(OWN, hidden, number))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:a-1"]


async def test_what_would_come_too_late_is_told_at_once() -> None:
    """The fifth within an hour: its manager reads why, and when to come back; nobody waits."""
    async with paced(language=Language.EN) as world:
        for number in (1, 2, 3, 4, 5):
            await world.hook(first(number))
        await settle()
        reason = told(world)[CrmMessageId("m-5")]
        assert reason is not None
        assert "“Продажи” has begun as many new conversations" in reason
        assert "in 60 min" in reason
        await world.clock.advance_ms(HOUR)
    assert world.to_whatsapp.keys == [f"reply:m-{number}" for number in (1, 2, 3, 4)]


async def test_counts_and_turns_survive_a_restart() -> None:
    """A new process knows what the old one has sent and promised."""
    store = MemoryStore()
    async with paced(store) as world:
        for number in (1, 2):
            await world.hook(first(number))
        await settle()
        clock = world.clock
    async with paced(store.reopen(), clock) as world:
        await world.hook(first(3))
        await settle()
        assert world.to_whatsapp.keys == []
        await world.clock.advance_ms(GAP)
        assert world.to_whatsapp.keys == ["reply:m-2"]
        await world.clock.advance_ms(GAP)
        assert world.to_whatsapp.keys == ["reply:m-2", "reply:m-3"]


async def test_an_attempt_that_whatsapp_never_saw_is_not_counted() -> None:
    """While the channel is away nothing of the day's measure is used up."""
    async with paced() as world:
        world.to_whatsapp.plan(lane(1), *[Retry("not connected")] * 8)
        await world.hook(first(1))
        await world.clock.advance_ms(20 * MINUTE)
        assert world.events()[-1] == "delivered"
        for number in (2, 3, 4):
            await world.hook(first(number))
        await world.clock.advance_ms(3 * GAP)
    assert world.to_whatsapp.keys[-3:] == ["reply:m-2", "reply:m-3", "reply:m-4"]


@pytest.mark.parametrize("outcome", [Dead("refused"), Unknown("lost")])
async def test_what_may_have_been_seen_is_counted(outcome: Outcome) -> None:
    """A refused or uncertain message to a stranger takes its place as a sent one does."""
    async with paced() as world:
        world.to_whatsapp.plan(lane(1), outcome)
        await world.hook(first(1))
        await settle()
        await world.hook(first(2))
        await settle()
        assert turns(world) == [GAP]


async def test_other_numbers_have_books_of_their_own() -> None:
    """Nothing is paced where no pace is set, and one channel does not count for another."""
    async with running() as world:
        for number in (1, 2, 3, 4, 5, 6, 7):
            await world.hook(first(number))
        await settle()
    assert len(world.to_whatsapp.keys) == 7


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 22))
async def test_no_kill_makes_the_pace_faster(at: int, after: bool) -> None:
    """Die at commit N, for every N: each goes at most once, and the pace is kept over both lives.

    Each is sent, or its manager is told.
    """
    memory, clock, ids = MemoryStore(), HandClock(), (1, 2, 3)
    sent_ms: list[int] = []
    async with paced(DyingStore(memory, at, after=after), clock, sent_ms=sent_ms) as world:
        offers = [asyncio.ensure_future(world.hook(first(number))) for number in ids]
        await settle()
        await clock.advance_ms(3 * GAP)
        taken = [number for number, offer in zip(ids, offers, strict=True) if offer.done()]
        for offer in offers:
            offer.cancel()
    async with paced(memory.reopen(), clock, sent_ms=sent_ms) as again:
        await again.hook(first(4))
        await clock.advance_ms(2 * HOUR)
    keys = world.to_whatsapp.keys + again.to_whatsapp.keys
    assert len(keys) == len(set(keys))
    assert all(later - sooner >= PACE.gap_ms for sooner, later in pairwise(sent_ms))
    for number in (*taken, 4):
        assert f"reply:m-{number}" in keys or CrmMessageId(f"m-{number}") in told(again)


# --- WhatsApp refuses strangers ------------------------------------------------------------------


async def test_a_closed_number_holds_strangers_until_it_opens() -> None:
    """For as long as it was told; the message goes then. It is logged once, with its time."""
    async with paced() as world:
        world.to_whatsapp.plan(lane(1), Closed("463", for_ms=30 * MINUTE))
        with structlog.testing.capture_logs() as logs:
            await world.hook(first(1))
            await settle()
        refused = [line for line in logs if line["event"] == "strangers_refused"]
        assert [(line["channel"], line["for_seconds"]) for line in refused] == [("sales", 1800)]
        await world.hook(first(2))
        await settle()
        assert turns(world) == [30 * MINUTE, 30 * MINUTE + GAP]
        await world.clock.advance_ms(30 * MINUTE - 1)
        assert world.to_whatsapp.keys == ["reply:m-1"]
        await world.clock.advance_ms(1)
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-1"]
        assert world.events()[-1] == "delivered"


async def test_a_closed_number_is_told_to_managers() -> None:
    """Untold for how long, so longer than the message's time: its manager is told at once."""
    async with paced(language=Language.RU) as world:
        world.to_whatsapp.plan(lane(1), Closed("463"))
        await world.hook(first(1))
        await world.hook(first(2))
        await settle()
        for id_ in ("m-1", "m-2"):
            reason = told(world)[CrmMessageId(id_)]
            assert reason is not None
            assert "WhatsApp временно не даёт каналу «Продажи» писать тем" in reason
            assert "через 60 мин" in reason
        await world.clock.advance_ms(DAY)
    assert world.to_whatsapp.keys == ["reply:m-1"], "never tried again by itself"


async def test_those_in_line_are_told_at_once_that_it_closed() -> None:
    """Turns that were promised will not come in time: their managers need not wait for that."""
    async with paced(language=Language.EN) as world:
        world.to_whatsapp.plan(lane(2), Closed("463"))
        for number in (1, 2, 3, 4):
            await world.hook(first(number))
        await world.clock.advance_ms(GAP)
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]
        assert told(world).keys() == {"m-2", "m-3", "m-4"}


async def test_a_closed_number_answers_those_who_wrote() -> None:
    """Only strangers are held."""
    async with paced() as world:
        world.to_whatsapp.plan(lane(1), Closed("463"))
        await world.hook(first(1))
        await settle()
        await world.hear(from_client("A1"))
        await world.hook(written("a-1"))
        await settle()
    assert world.to_whatsapp.keys == ["reply:m-1", "reply:a-1"]


async def test_a_closure_survives_a_restart() -> None:
    """A new process does not knock again."""
    store = MemoryStore()
    async with paced(store) as world:
        world.to_whatsapp.plan(lane(1), Closed("463", for_ms=50 * MINUTE))
        await world.hook(first(1))
        await settle()
        clock = world.clock
    async with paced(store.reopen(), clock) as world:
        await world.clock.advance_ms(49 * MINUTE)
        assert world.to_whatsapp.keys == []
        await world.clock.advance_ms(MINUTE)
    assert world.to_whatsapp.keys == ["reply:m-1"]
