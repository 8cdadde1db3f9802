"""The first try at a file has no letter: what that changes for nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from relay.delivery.awaiting import PATIENCE_MS
from relay.delivery.ports import MediaUnavailableError
from relay.domain.bodies import NewMessage
from relay.domain.contents import Content, Kept, Media, MediaKind, Remote, Text
from relay.domain.ids import ClientAddress
from relay.domain.message import Alias, Client, Received
from relay.domain.outbox import Entry, EntryState, Retry
from relay.domain.retry import HOUR, MINUTE, SECOND
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.test_blacklist import LISTED
from tests.delivery.test_kills import DyingStore
from tests.delivery.world import OWN, World, from_client, running

PHOTO = Media(MediaKind.IMAGE, Remote("photo"), caption="Вот", name="a.jpg", size=3)
FETCH = "fetch:message:wa-74950000001-A1"


def photo(id_: str) -> Received:
    return replace(from_client(id_), content=PHOTO)


def there(world: World) -> None:
    world.media.remote["photo"] = b"abc"


def told(world: World) -> list[Content]:
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [body.content for body in bodies if isinstance(body, NewMessage)]


def kept(contents: list[Content]) -> list[bool]:
    return [isinstance(each, Media) and isinstance(each.at, Kept) for each in contents]


async def fetching(world: World) -> Entry | None:
    return await world.store.query(lambda ledger: ledger.entry_of(FETCH))


async def test_a_file_that_comes_at_once_has_no_letter() -> None:
    """Its message is all there is; the log tells of the file as it always does."""
    async with running(before=there) as world:
        await world.hear(photo("A1"))
        await settle()
        assert await fetching(world) is None
        assert await world.store.query(lambda ledger: ledger.unasked(9, ())) == []
    assert kept(told(world)) == [True]
    assert [(s.event.value, s.kind) for s in world.steps] == [
        ("accepted", "new_message"),
        ("accepted", "fetch"),
        ("delivered", "fetch"),
        ("delivered", "new_message"),
    ]


async def test_a_first_try_that_fails_counts_for_the_letter_that_goes_on() -> None:
    """It waits as after any failure, and is hastened like any other."""
    async with running(before=there) as world:
        world.media.plan("photo", MediaUnavailableError("not connected"))
        await world.hear(photo("A1"))
        await settle()
        letter = await fetching(world)
        assert letter is not None
        assert (letter.state, letter.attempts, letter.error) == (
            EntryState.PENDING,
            1,
            "not connected",
        )
        assert await world.store.query(lambda ledger: ledger.unasked(9, ())) == []
        await world.dispatchers[letter.letter.destination].hasten()
        await settle()
    assert kept(told(world)) == [True]


async def test_no_more_files_are_asked_for_at_a_time_than_agreed() -> None:
    """However many wait, first tries and later ones together; then the next, each in its lane."""
    store = MemoryStore()
    async with running(store, before=there) as world:
        world.media.plan("photo", *[MediaUnavailableError("not connected")] * 6)
        for number in range(6):
            await world.hear(_photo_of(number))
        await settle()
        world.media.gate.clear()
        for number in range(6, 12):
            await world.hear(_photo_of(number))
        await settle()
    await world.clock.advance_ms(2 * SECOND)

    def closed(again: World) -> None:
        there(again)
        again.media.gate.clear()

    async with running(store.reopen(), world.clock, before=closed) as again:
        await settle()
        assert len(again.media.asked) == again.concurrency
        again.media.gate.set()
        await settle()
    assert kept(told(again)) == [True] * 12
    assert len(again.media.asked) == 12


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 9))
async def test_a_kill_at_any_commit_loses_no_file(at: int, after: bool) -> None:
    """Die at commit N, for every N; start again: the photo is there, before what followed it."""
    memory, clock = MemoryStore(), HandClock()
    async with running(DyingStore(memory, at, after=after), clock, before=there) as first:
        for message in (photo("A1"), from_client("A2")):
            await _offer(first, message)
        await clock.advance_ms(SECOND)
    async with running(memory.reopen(), clock, before=there) as second:
        for message in (photo("A1"), from_client("A2")):  # WhatsApp repeats what was not taken
            await second.hear(message)
        await clock.advance_ms(2 * HOUR)
    everything = first.into_amocrm.carried + second.into_amocrm.carried
    order = list(dict.fromkeys(entry.letter.key[-2:] for entry in everything))
    assert order == ["A1", "A2"]
    assert all(kept([c for c in told(first) + told(second) if c != Text("Привет")]))


async def test_a_kill_after_the_words_went_alone_loses_no_file() -> None:
    """The mark outlives its message: the file follows as a message of its own."""
    store = MemoryStore()
    async with running(store) as world:
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await world.clock.advance_ms(PATIENCE_MS)
        assert [content.at for content in told(world) if isinstance(content, Media)] == [
            Remote("photo")
        ]
    async with running(store.reopen(), world.clock, before=there) as again:
        await settle()
    assert kept(told(again)) == [True]
    assert again.into_amocrm.keys == ["message:wa-74950000001-A1-file"]
    assert again.media.asked == ["photo"]


@pytest.mark.parametrize("tries", [0, 1])
async def test_the_file_of_a_message_that_was_withdrawn_does_not_follow(tries: int) -> None:
    """His number is on the blacklist: neither the message enters nor what it waited for."""
    async with running(before=there, blacklist=LISTED) as world:
        world.into_amocrm.plan("in:wa-74950000001-lid:5", *[Retry("down")] * 9)
        world.media.plan("photo", *[MediaUnavailableError("not connected")] * tries)
        world.media.gate.clear()
        await world.hear(replace(photo("A1"), client=Client(ClientAddress("lid:5"), None, "Анна")))
        if tries:
            world.media.gate.set()
        await settle()
        await world.hear(Alias(OWN, ClientAddress("lid:5"), ClientAddress("79001234567")))
        world.media.gate.set()
        await world.clock.advance_ms(MINUTE)
    assert told(world) == []


def _photo_of(number: int) -> Received:
    phone = f"790000000{number:02}"
    client = Client(ClientAddress(phone), f"+{phone}", "Анна")
    return replace(photo(f"A{number}"), client=client)


async def _offer(world: World, message: Received) -> None:
    """What hangs belongs to a dead process."""
    attempt = asyncio.ensure_future(world.hear(message))
    await settle()
    attempt.cancel()
