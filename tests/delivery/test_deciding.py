"""Messages whose author nobody knows yet, or whose channel has no number yet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from relay.delivery.deciding import AGAIN_MS
from relay.domain.bodies import Reply, StatusUpdate
from relay.domain.contents import Text
from relay.domain.ids import ChannelId, CrmChatId, CrmPersonId, OwnNumber, UserId
from relay.domain.message import Status, Written
from relay.domain.outbox import Destination
from relay.domain.reasons import Reason
from relay.domain.retry import HOUR, MINUTE, SECOND
from relay.domain.routing import Manager
from relay.domain.settings import Channel, Language, Settings
from relay.domain.texts import reason_text
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.played_staff import ANNA, BORIS, NEWCOMER, ROBOT
from tests.delivery.world import SALES, SETTINGS, World, running, written

SUPPORT = Channel(ChannelId("support"), "Поддержка", OwnNumber("74950000002"))
OTHER = "wa-74950000001-79007654321"
TEAM: dict[str, Any] = {
    "channels": {SALES.id: SALES, SUPPORT.id: SUPPORT},
    "users": {
        UserId(17): Manager((SALES.id,), "Анна"),
        UserId(18): Manager((SUPPORT.id,), "Борис"),
        UserId(19): Manager((SALES.id,), "Новенькая"),
    },
    "everyone_else": None,
}


def by(author: CrmPersonId, message: Written) -> Written:
    return replace(message, author=author)


def replies(world: World) -> list[tuple[str, str]]:
    """What was sent: the channel and the words, in order."""
    bodies = [entry.letter.body for entry in world.to_whatsapp.carried]
    return [
        (body.channel, body.content.text)
        for body in bodies
        if isinstance(body, Reply) and isinstance(body.content, Text)
    ]


def refusals(world: World) -> list[tuple[str, str | None]]:
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [
        (body.message, body.reason)
        for body in bodies
        if isinstance(body, StatusUpdate) and body.status is Status.FAILED
    ]


async def test_a_manager_who_is_known_is_sent_at_once_and_signed() -> None:
    """Through his own channel, with his own signature; nobody is asked."""
    async with running(**TEAM) as world:
        await world.hook(by(ANNA, written("m-1")))
        await world.hook(by(BORIS, written("m-2")))
        await settle()
        assert replies(world) == [
            ("sales", "Добрый день\n\nАнна"),
            ("support", "Добрый день\n\nБорис"),
        ]
        assert world.staff.asked == []


async def test_a_stranger_is_asked_about_and_then_sent_as_who_he_is() -> None:
    """Nothing is sent before amoCRM has told; then exactly what his entry in the file says."""
    async with running(**TEAM) as world:
        world.staff.gate.clear()
        world.staff.truth = {NEWCOMER: UserId(19), ROBOT: None}
        await world.hook(by(NEWCOMER, written("m-1")))
        await world.hook(by(ROBOT, written("m-2", OTHER)))
        await settle()
        assert replies(world) == []
        assert world.events() == ["deferred", "deferred"]
        world.staff.gate.set()
        await settle()
        assert sorted(replies(world)) == [
            ("sales", "Добрый день"),
            ("sales", "Добрый день\n\nНовенькая"),
        ]


async def test_what_follows_in_the_conversation_waits_behind_and_nothing_else_does() -> None:
    """Order within the conversation, whoever wrote; another client's message passes."""
    async with running(**TEAM) as world:
        world.staff.gate.clear()
        world.staff.truth = {NEWCOMER: UserId(19)}
        await world.hook(by(NEWCOMER, written("m-1")))
        for id_ in ("m-2", "m-3"):
            await world.hook(by(ANNA, replace(written(id_), chat=CrmChatId("chat-2"))))
        other = replace(written("m-4", OTHER), chat=CrmChatId("chat-9"))
        await world.hook(by(ANNA, other))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-4"]
        world.staff.gate.set()
        await settle()
        assert world.to_whatsapp.keys == [f"reply:m-{n}" for n in (4, 1, 2, 3)]


async def test_write_first_waits_by_its_chat() -> None:
    """A chat that has no conversation yet keeps its order too."""
    async with running(**TEAM) as world:
        world.staff.gate.clear()
        world.staff.truth = {NEWCOMER: UserId(19)}
        await world.hook(by(NEWCOMER, written("m-1", None)))
        await world.hook(by(ANNA, written("m-2", None)))
        await settle()
        assert world.to_whatsapp.keys == []
        world.staff.gate.set()
        await world.clock.advance_ms(MINUTE)
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]


async def test_he_is_asked_about_again_and_again_but_not_for_ever() -> None:
    """Once a minute at most; when the message's time is over it is refused, never guessed."""
    async with running(**TEAM, give_up_whatsapp_ms=10 * MINUTE) as world:
        await world.hook(by(NEWCOMER, written("m-1")))
        await world.clock.advance_ms(10 * MINUTE + 5 * SECOND)
        assert 9 <= len(world.staff.asked) <= 11
        reason = reason_text(Reason.AUTHOR_UNKNOWN, Language.RU)
        assert refusals(world) == [("m-1", reason)]
        asked = len(world.staff.asked)
        await world.clock.advance_ms(HOUR)
        assert len(world.staff.asked) <= asked + 1
        assert replies(world) == []


async def test_the_refusal_of_one_frees_what_waited_behind_him() -> None:
    """An unknown author holds his conversation no longer than his own message may wait."""
    async with running(**TEAM, give_up_whatsapp_ms=10 * MINUTE) as world:
        await world.hook(by(NEWCOMER, written("m-1")))
        await world.clock.advance_ms(MINUTE)
        await world.hook(by(ANNA, written("m-2")))
        await world.clock.advance_ms(9 * MINUTE + 5 * SECOND)
        assert [id_ for id_, _ in refusals(world)] == ["m-1"]
        assert world.to_whatsapp.keys == ["reply:m-2"]


async def test_an_author_to_whom_all_is_the_same_is_not_waited_for() -> None:
    """With one rule for everybody it does not matter who wrote."""
    async with running() as world:
        await world.hook(by(NEWCOMER, written("m-1")))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]
        assert world.staff.asked == []


async def test_a_hook_without_an_author_is_a_robots() -> None:
    """A user is always named; nobody could ever tell more of who is not."""
    async with running(**TEAM) as world:
        await world.hook(by(CrmPersonId(""), written("m-1")))
        await settle()
        assert replies(world) == [("sales", "Добрый день")]


async def test_an_outsider_is_told_and_whatsapp_sees_nothing() -> None:
    """A user who is not in the file cannot send, and hears why: 905."""
    async with running(**TEAM) as world:
        world.staff.known[NEWCOMER] = UserId(99)
        await world.hook(by(NEWCOMER, written("m-1")))
        await settle()
        assert refusals(world) == [("m-1", reason_text(Reason.MAY_NOT_SEND, Language.RU))]
        assert replies(world) == []


async def test_what_is_held_survives_a_kill() -> None:
    """The next life asks anew and sends it once, with the time that is left of the old one."""
    store, clock = MemoryStore(), HandClock()
    async with running(store, clock, **TEAM) as world:
        world.staff.gate.clear()
        await world.hook(by(NEWCOMER, written("m-1")))
        await world.hook(by(ANNA, written("m-2")))
        await settle()
        await clock.advance_ms(30 * MINUTE)

    def learned(world: World) -> None:
        world.staff.truth = {NEWCOMER: UserId(19)}

    async with running(store.reopen(), clock, before=learned, **TEAM) as again:
        await settle()
        assert again.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]
        [first, _] = again.to_whatsapp.carried
        assert first.letter.expires_ms == first.letter.accepted_ms + HOUR


async def test_a_hook_whose_caller_hung_up_is_held_like_any_other() -> None:
    """Nobody is there to tell of it, and yet its author is asked about."""
    async with running(**TEAM) as world:
        world.staff.truth = {NEWCOMER: UserId(19)}
        call = asyncio.create_task(world.hook(by(NEWCOMER, written("m-1"))))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]


async def test_the_same_hook_again_is_a_duplicate_while_held_and_after() -> None:
    """amoCRM calls once, but whatever comes twice is sent once."""
    async with running(**TEAM) as world:
        world.staff.gate.clear()
        world.staff.truth = {NEWCOMER: UserId(19)}
        for _ in range(2):
            await world.hook(by(NEWCOMER, written("m-1")))
        await settle()
        world.staff.gate.set()
        await settle()
        await world.hook(by(NEWCOMER, written("m-1")))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]
        assert world.events().count("ignored") == 2


@pytest.fixture
def unpaired() -> Settings:
    return replace(SETTINGS, channels={SALES.id: replace(SALES, own=None)})


async def test_a_channel_that_gets_its_number_sends_what_was_held(unpaired: Settings) -> None:
    """Written while the phone was not linked yet, sent once it is."""
    async with running(channels=unpaired.channels) as world:
        await world.hook(written("m-1", None))
        await settle()
        assert world.to_whatsapp.keys == []
        world.settings = replace(unpaired, channels={SALES.id: SALES})
        world.deciding[Destination.WHATSAPP].wake()
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]


async def test_a_channel_that_is_never_linked_is_told_of_in_time(unpaired: Settings) -> None:
    """With its name and the next step."""
    async with running(channels=unpaired.channels) as world:
        await world.hook(written("m-1", None))
        await world.clock.advance_ms(HOUR + 5 * SECOND)
        reason = reason_text(Reason.NEVER_PAIRED, Language.RU, channel=SALES.title)
        assert refusals(world) == [("m-1", reason)]


async def test_many_strangers_are_asked_about_a_few_at_a_time() -> None:
    """Each in his turn; all are sent in the end, and nobody is asked about twice."""
    people = [CrmPersonId(f"p-{n:03}") for n in range(200)]
    async with running(**TEAM) as world:
        world.staff.gate.clear()
        world.staff.truth = dict.fromkeys(people, UserId(19))
        for number, person in enumerate(people):
            message = written(f"m-{number}", f"wa-74950000001-7900{number:07}")
            chat = CrmChatId(f"c-{number}")
            await world.hook(by(person, replace(message, chat=chat)))
        await settle()
        assert len(world.staff.asked) == 64
        world.staff.gate.set()
        await world.clock.advance_ms(AGAIN_MS)
        assert sorted(world.staff.asked) == people
        figures = await world.store.query(lambda ledger: ledger.figures(Destination.WHATSAPP))
        assert figures.waiting + len(world.to_whatsapp.carried) >= len(people)
        assert not await world.store.query(lambda ledger: ledger.is_held([f"chat:c-{5}"]))
