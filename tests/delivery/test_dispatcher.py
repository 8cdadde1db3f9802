"""Lanes, attempts, retries and their end."""

from __future__ import annotations

import asyncio

import pytest
import structlog.testing

from relay.delivery.aftermath import Ruling, rule_on
from relay.delivery.ledger import Ledger
from relay.delivery.pacing import Attempt
from relay.domain.bodies import StatusUpdate
from relay.domain.message import Status
from relay.domain.outbox import (
    Dead,
    Delivered,
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
    Outcome,
    Retry,
    Unknown,
)
from relay.domain.retry import DAY, HOUR, MINUTE, SECOND, RetryPolicy
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import SETTINGS, from_client, running, written

ANNA, BORIS = "79001234567", "79007654321"
ANNAS_LANE, BORIS_LANE = (f"in:wa-74950000001-{number}" for number in (ANNA, BORIS))


async def test_order_within_a_lane_is_kept_across_retries() -> None:
    """The second message waits until the first has arrived, however long that takes."""
    async with running() as world:
        world.into_amocrm.plan(ANNAS_LANE, Retry("down"), Retry("down"))
        for id_ in ("A1", "A2", "A3"):
            await world.hear(from_client(id_))
        await world.clock.advance_ms(10 * SECOND)
    keys = [key.rpartition("-")[2] for key in world.into_amocrm.keys]
    assert keys == ["A1", "A1", "A1", "A2", "A3"]


async def test_a_failing_head_holds_only_its_own_lane() -> None:
    """One client's trouble is nobody else's."""
    async with running() as world:
        world.into_amocrm.plan(ANNAS_LANE, *[Retry("down")] * 100)
        await world.hear(from_client("A1"))
        await world.hear(from_client("B1", client=BORIS))
        await world.hear(from_client("B2", client=BORIS))
    assert [k.rpartition("-")[2] for k in world.into_amocrm.keys] == ["A1", "B1", "B2"]


async def test_a_dead_head_frees_its_lane() -> None:
    """What cannot be delivered steps aside for what can."""
    async with running() as world:
        world.into_amocrm.plan(ANNAS_LANE, Dead("400"))
        await world.hear(from_client("A1"))
        await world.hear(from_client("A2"))
    assert world.events().count("dead") == 1
    assert world.events()[-1] == "delivered"


async def test_a_lane_has_one_attempt_in_flight() -> None:
    """A thousand messages of one client are sent one after the other."""
    async with running() as world:
        world.into_amocrm.gate.clear()
        for number in range(20):
            await world.hear(from_client(f"A{number}"))
        await settle()
        assert world.into_amocrm.in_flight == 1
        world.into_amocrm.gate.set()
        for _ in range(20):
            await settle()
    assert world.into_amocrm.most_in_flight == 1
    assert len(world.into_amocrm.carried) == 20


async def test_many_lanes_go_at_once_but_not_more_than_the_bound() -> None:
    """Attempts in flight are as many as there are lanes, up to the bound."""
    async with running() as world:
        world.into_amocrm.gate.clear()
        for number in range(50):
            await world.hear(from_client(f"M{number}", client=f"7900000{number:04}"))
        await settle()
        assert world.into_amocrm.in_flight == world.concurrency
        world.into_amocrm.gate.set()
    assert len(world.into_amocrm.carried) == 50


async def test_a_message_into_amocrm_gets_a_last_attempt_after_its_time() -> None:
    """What waited out a long night of the relay itself is tried once before it is given up."""
    store = MemoryStore()
    async with running(store, give_up_amocrm_ms=HOUR) as world:
        world.into_amocrm.plan(ANNAS_LANE, Retry("down"))
        await world.hear(from_client("A1"))
        await settle()
        clock = world.clock
    clock.jump_ms(2 * DAY)
    async with running(store.reopen(), clock, give_up_amocrm_ms=HOUR) as world:
        pass
    assert world.events() == ["delivered"]


async def test_no_retry_is_without_end() -> None:
    """After ``give_up_after.amocrm`` a message is dead: kept, logged and counted."""
    store = MemoryStore()
    async with running(store) as world:
        world.into_amocrm.plan(ANNAS_LANE, *[Retry("down")] * 10_000)
        await world.hear(from_client("A1"))
        await world.clock.advance_ms(DAY + HOUR)
        tried = len(world.into_amocrm.carried)
        await world.clock.advance_ms(DAY)
        figures = await store.query(lambda ledger: ledger.figures(Destination.AMOCRM))
        dead = await store.query(lambda ledger: ledger.dead(10))
    assert len(world.into_amocrm.carried) == tried
    assert (figures.waiting, figures.dead) == (0, 1)
    assert dead[0].error == "gave up: down"
    assert world.events()[-1] == "dead"


async def test_an_attempt_that_people_would_see_twice_is_written_down_before_it_is_made() -> None:
    """While a reply is being sent the store already says so."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        begun = await store.query(lambda ledger: ledger.begun(Destination.WHATSAPP))
        world.to_whatsapp.gate.set()
    assert [entry.letter.key for entry in begun] == ["reply:m-1"]


async def test_a_refusing_disk_loses_no_outcome() -> None:
    """What was delivered while the disk was full is written down when there is room again."""
    store = MemoryStore()
    async with running(store) as world:
        world.into_amocrm.gate.clear()
        await world.hear(from_client("A1"))
        await settle()
        store.refuse = True
        world.into_amocrm.gate.set()
        await world.clock.advance_ms(10 * SECOND)
        assert "delivered" not in world.events()
        store.refuse = False
        await world.clock.advance_ms(SECOND)
    assert world.events() == ["accepted", "delivered"]
    assert len(world.into_amocrm.carried) == 1


async def test_nothing_is_sent_to_a_client_that_cannot_be_written_down_first() -> None:
    """With a full disk no reply is begun; it goes out when there is room."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.plan("out:wa-74950000001-79001234567", Retry("offline"))
        await world.hook(written("m-1"))
        await settle()
        store.refuse = True
        await world.clock.advance_ms(MINUTE)
        assert len(world.to_whatsapp.carried) == 1
        store.refuse = False
        await world.clock.advance_ms(MINUTE)
    assert len(world.to_whatsapp.carried) == 2


async def test_a_courier_that_raises_fails_its_own_letter_only() -> None:
    """A bug while delivering is "try again" towards amoCRM and "unknown" towards a client."""
    async with running() as world:
        world.into_amocrm.plan(ANNAS_LANE, RuntimeError("bug"))
        world.to_whatsapp.plan("out:wa-74950000001-79001234567", RuntimeError("bug"))
        with structlog.testing.capture_logs():
            await world.hear(from_client("A1"))
            await world.hook(written("m-1"))
            await world.clock.advance_ms(10 * SECOND)
    assert world.into_amocrm.keys.count("message:wa-74950000001-A1") == 2
    assert world.to_whatsapp.keys == ["reply:m-1"]


async def test_draining_begins_nothing_and_waits_for_what_is_in_hand() -> None:
    """A stop lets attempts in hand end, and starts none."""
    async with running() as world:
        world.into_amocrm.gate.clear()
        await world.hear(from_client("A1"))
        await world.hear(from_client("A2"))
        await settle()
        drain = asyncio.ensure_future(world.dispatchers[Destination.AMOCRM].drain())
        await settle()
        assert not drain.done()
        world.into_amocrm.gate.set()
        await drain
        await settle()
        assert len(world.into_amocrm.carried) == 1


async def test_hastened_letters_are_due_at_once() -> None:
    """When a channel is connected again, what waited for it does not wait for the ladder."""
    async with running() as world:
        lane = "out:wa-74950000001-79001234567"
        world.to_whatsapp.plan(lane, *[Retry("offline")] * 8)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(6 * MINUTE)
        tried = len(world.to_whatsapp.carried)
        world.to_whatsapp.script[lane].clear()
        await world.dispatchers[Destination.WHATSAPP].hasten()
    assert len(world.to_whatsapp.carried) == tried + 1
    assert "delivered" in world.events()


async def test_a_clock_set_back_holds_nothing_for_long() -> None:
    """A due time further away than any wait means a jump: the letter is due now."""
    async with running() as world:
        world.into_amocrm.plan(ANNAS_LANE, Retry("down"))
        await world.hear(from_client("A1"))
        await settle()
        world.clock.jump_ms(-10 * DAY)
        await world.clock.advance_ms(2 * MINUTE)
    assert world.events()[-1] == "delivered"


def entry(attempts: int = 0, expires_ms: int = 10_000) -> Entry:
    body = StatusUpdate("m", Status.READ)  # type: ignore[arg-type]  # any text will do here
    letter = Letter("k", "l", Destination.AMOCRM, body, "t", None, 0, expires_ms)
    return Entry(EntryId(1), letter, EntryState.PENDING, attempts, 0)


def ended(outcome: Outcome, of: Entry, now_ms: int) -> Ruling:
    """The ruling on an attempt at that entry which ends now."""
    return rule_on(outcome, Attempt(of, SETTINGS, now_ms, 0.5), RetryPolicy())


@pytest.mark.parametrize(
    ("outcome", "now_ms", "state"),
    [
        (Delivered("x"), 0, EntryState.DELIVERED),
        (Delivered(), 99_999, EntryState.DELIVERED),
        (Dead("no"), 0, EntryState.DEAD),
        (Unknown("?"), 0, EntryState.DEAD),
        (Retry("later"), 9_999, EntryState.PENDING),
        (Retry("later"), 10_000, EntryState.DEAD),
    ],
)
def test_every_outcome_has_its_ruling(outcome: Outcome, now_ms: int, state: EntryState) -> None:
    """Delivered is delivered however late; a retry after the end is the end."""
    assert ended(outcome, entry(), now_ms).state is state


def test_the_last_wait_ends_when_the_letter_expires() -> None:
    """A letter never waits past its end: its manager hears of it in time."""
    ruling = ended(Retry("later"), entry(attempts=7), 9_000)
    assert ruling.due_ms == 10_000


def test_a_vendor_who_says_when_is_heeded_within_reason() -> None:
    """``Retry.after_ms`` replaces the ladder, but no wait exceeds the longest."""
    far = entry(expires_ms=DAY)
    assert ended(Retry("429", 7_000), far, 0).due_ms == 7_000
    assert ended(Retry("429", DAY), far, 0).due_ms == RetryPolicy().longest_ms


async def test_what_a_crash_interrupted_is_resolved_at_start() -> None:
    """BEGUN at start: repeated towards amoCRM, ended and told towards a client."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()

        def begin(ledger: Ledger) -> None:
            [due] = ledger.due(Destination.AMOCRM, 1 << 60, 9, (), 0)
            ledger.begin(due.id)

        world.into_amocrm.plan(ANNAS_LANE, Retry("down"))
        await world.hear(from_client("A1"))
        await settle()
        await store.transact(begin)
        after = store.reopen()
    async with running(after) as second:
        pass
    assert second.to_whatsapp.keys == []
    assert sorted(second.into_amocrm.keys) == ["message:wa-74950000001-A1", "status:m-1:failed"]
