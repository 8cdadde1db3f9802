"""Which numbers are on WhatsApp: asked seldom, kept with their age, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from relay.delivery import phones as phones_module
from relay.delivery.phones import Line, Phones
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.phone_check import FRESH_MS, PhoneCheck, PhoneState
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.idle_engine import IdleEngine

SALES, SUPPORT = ChannelId("sales"), ChannelId("support")
ANNA, BORIS = "79001234567", "79001234568"


@dataclass
class AskedEngine(IdleEngine):
    """An engine whose WhatsApp has the numbers it was given, and which remembers being asked."""

    there: dict[str, bool] = field(default_factory=dict)
    can_check: bool = True
    asked: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        self.asked.append(list(numbers))
        await self.gate.wait()
        return {number: self.there.get(number) for number in numbers}


@dataclass
class Office:
    """Two channels, and what is known."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: HandClock = field(default_factory=HandClock)
    sales: AskedEngine = field(default_factory=AskedEngine)
    support: AskedEngine = field(default_factory=AskedEngine)
    online: set[ChannelId] = field(default_factory=lambda: {SALES, SUPPORT})

    def __post_init__(self) -> None:
        self.phones = Phones(self.store, self.clock, self._lines)

    def _lines(self) -> Mapping[ChannelId, Line]:
        return {
            SALES: Line(self.sales, SALES in self.online, OwnNumber("74950000001")),
            SUPPORT: Line(self.support, SUPPORT in self.online, OwnNumber("4930000002")),
        }

    async def know(self, number: str, *, there: bool, age_ms: int = 0) -> PhoneCheck:
        check = PhoneCheck.answered(there, self.clock.now_ms() - age_ms)
        await self.store.transact(lambda ledger: ledger.save_phone_check(number, check))
        return check


@pytest.fixture
def office() -> Office:
    return Office()


async def test_what_is_unknown_is_asked_and_kept(office: Office) -> None:
    """Both answers are kept with their time; the next question is answered without WhatsApp."""
    office.sales.there = {ANNA: True, BORIS: False}
    expected = {
        ANNA: PhoneCheck(PhoneState.REGISTERED, office.clock.now_ms()),
        BORIS: PhoneCheck(PhoneState.NOT_REGISTERED, office.clock.now_ms()),
    }
    answers = await office.phones.ask([ANNA, BORIS])
    assert (answers.checks, answers.trouble) == (expected, None)
    office.clock.jump_ms(FRESH_MS - 1)
    assert (await office.phones.ask([ANNA, BORIS])).checks == expected
    assert office.sales.asked == [[ANNA, BORIS]]


async def test_only_what_is_stale_is_asked_again(office: Office) -> None:
    """A day is the age at which an answer is doubted."""
    young = await office.know(ANNA, there=True, age_ms=FRESH_MS - 1)
    await office.know(BORIS, there=True, age_ms=FRESH_MS)
    office.sales.there = {BORIS: False}
    answers = await office.phones.ask([ANNA, BORIS])
    assert office.sales.asked == [[BORIS]]
    assert answers.checks[ANNA] == young
    assert answers.checks[BORIS].state is PhoneState.NOT_REGISTERED


async def test_a_person_may_insist(office: Office) -> None:
    """Asked again, WhatsApp is asked whatever is known."""
    await office.know(ANNA, there=False, age_ms=1)
    office.sales.there = {ANNA: True}
    answers = await office.phones.ask([ANNA], again=True)
    assert answers.checks[ANNA].state is PhoneState.REGISTERED


@pytest.mark.parametrize("known", [True, False, None])
async def test_a_failure_changes_nothing(office: Office, known: bool | None) -> None:
    """WhatsApp did not tell: the state and its age stay as they were, and that is said."""
    if known is not None:
        await office.know(ANNA, there=known, age_ms=FRESH_MS)
    before = await office.phones.known([ANNA])
    answers = await office.phones.ask([ANNA])
    assert answers.checks == before
    assert answers.trouble is not None
    assert await office.phones.known([ANNA]) == before


async def test_a_check_that_never_ends_is_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The asker hears within a minute that WhatsApp did not tell."""
    monkeypatch.setattr(phones_module, "_LONGEST_S", 0.05)
    office.sales.gate.clear()
    answers = await office.phones.ask([ANNA])
    assert answers.checks[ANNA] == PhoneCheck()
    assert answers.trouble is not None


async def test_the_first_connected_channel_that_can_is_asked(office: Office) -> None:
    """One that is away, or has no way to check, is passed over."""
    office.support.there = {ANNA: True}
    office.online = {SUPPORT}
    await office.phones.ask([ANNA])
    office.online, office.sales.can_check = {SALES, SUPPORT}, False
    office.clock.jump_ms(1)
    await office.phones.ask([ANNA], again=True)
    assert (office.sales.asked, office.support.asked) == ([], [[ANNA], [ANNA]])


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (None, "no channel that can check numbers is connected"),
        (SALES, "channel sales cannot check numbers: its engine has no way to"),
        (SUPPORT, "channel support is not connected"),
        (ChannelId("gone"), "there is no channel gone"),
    ],
)
async def test_where_nobody_can_be_asked_the_reason_is_told(
    office: Office, channel: ChannelId | None, words: str
) -> None:
    """What is known is told all the same."""
    office.sales.can_check = False
    office.online = {SALES}
    old = await office.know(ANNA, there=True, age_ms=FRESH_MS)
    answers = await office.phones.ask([ANNA], channel=channel)
    assert (answers.checks, answers.trouble) == ({ANNA: old}, words)


async def test_who_asks_for_the_same_number_meanwhile_shares_the_answer(office: Office) -> None:
    """Two cards opened at once are one question to WhatsApp, also if both insist."""
    office.sales.there = {ANNA: True}
    office.sales.gate.clear()
    calls = [asyncio.create_task(office.phones.ask([ANNA], again=again)) for again in (False, True)]
    await settle()
    office.sales.gate.set()
    for answers in await asyncio.gather(*calls):
        assert (answers.checks[ANNA].state, answers.trouble) == (PhoneState.REGISTERED, None)
    assert office.sales.asked == [[ANNA]]


@pytest.mark.parametrize(
    ("written", "channel", "digits"),
    [
        ("+7 (900) 123-45-67", None, ANNA),
        ("8 900 123-45-67", None, ANNA),
        ("8 900 123-45-67", SALES, ANNA),
        ("030 1234567", SUPPORT, "49301234567"),
        ("нет", None, None),
        ("", None, None),
    ],
)
def test_a_number_without_its_country_is_of_the_channels(
    office: Office, written: str, channel: ChannelId | None, digits: str | None
) -> None:
    """However it is written; what is no number is none."""
    assert office.phones.number(written, channel) == digits
