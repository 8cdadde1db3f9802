"""Numbers and hidden addresses: what is learnt by the way, and what WhatsApp is asked."""

from __future__ import annotations

import asyncio

import pytest

from relay.domain.ids import ClientAddress
from relay.domain.message import Alias
from relay.domain.session import SessionState
from relay.whatsapp.linked_device import checking
from relay.whatsapp.linked_device.checking import Checking
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.numbers import LEARNT, learnt
from relay.whatsapp.linked_device.payload import unwrap
from relay.whatsapp.linked_device.reading import read_payload
from tests.clock import HandClock, settle
from tests.whatsapp.engine_contract import Running, reply_to, running
from tests.whatsapp.linked_device import samples
from tests.whatsapp.linked_device.conftest import LinkedRig
from tests.whatsapp.linked_device.samples import (
    LID,
    OWN,
    OWN_LID,
    OWN_PHONE,
    PHONE,
    Address,
    aliases,
    check_answer,
    message,
    receipt,
    source,
    undecryptable,
    wire,
)

SAME = Alias(OWN, ClientAddress("lid:100000000000003"), ClientAddress("79161234567"))
ANNA, BORIS = "79161234567", "79161234568"


# --- What events tell by the way ------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        {"chat": LID, "sender_alt": PHONE},
        {"chat": PHONE, "sender_alt": LID},
        {"chat": LID, "sender": OWN_LID, "recipient_alt": PHONE, "from_me": True},
        {"chat": PHONE, "sender": OWN_PHONE, "recipient_alt": LID, "from_me": True},
    ],
)
def test_two_addresses_side_by_side_are_one_client(where: dict[str, Address]) -> None:
    """Whichever is the chat's and whichever stands beside it, in messages and receipts."""
    there = source(**where)  # type: ignore[arg-type]  # names of its arguments
    assert aliases(Code.MESSAGE, message(there)) == [SAME]
    assert aliases(Code.UNDECRYPTABLE, undecryptable(there)) == [SAME]
    if not where.get("from_me"):
        assert aliases(Code.RECEIPT, receipt(there, 1, "3EB0")) == [SAME]


@pytest.mark.parametrize(
    "where",
    [
        {"chat": LID},
        {"chat": PHONE},
        {"chat": LID, "sender_alt": ("100000000000009", "lid")},
        {"chat": ("1203", "g.us"), "sender": LID, "sender_alt": PHONE, "group": True},
        {"chat": OWN_LID, "sender_alt": OWN_PHONE},
        {"chat": LID, "sender_alt": ("0", "s.whatsapp.net")},
        {"chat": LID, "sender": OWN_LID, "sender_alt": OWN_PHONE, "from_me": True},
    ],
)
def test_nothing_is_learnt_where_nothing_is_told(where: dict[str, Address]) -> None:
    """One address alone, a group, ourselves, a service: no client gets a second address."""
    assert aliases(Code.MESSAGE, message(source(**where))) == []  # type: ignore[arg-type]  # as above


def test_what_was_learnt_is_read_again() -> None:
    """A payload of ours says what it was made of."""
    assert read_payload(learnt(OWN, LID[0], ANNA)) == (SAME,)


@pytest.mark.parametrize("data", [b"", b"1", b"1 2 3", b"lid 79", b"1 +79", b"\xff 1"])
def test_a_spoilt_payload_is_refused(data: bytes) -> None:
    """What was never made by us makes no sense."""
    with pytest.raises(ValueError, match=r".+"):
        aliases(LEARNT, data)


# --- What is looked up ----------------------------------------------------------------------------


async def stranger_writes(rig: LinkedRig, id_: str = "3A01") -> None:
    rig.library.happens(Code.MESSAGE, message(source(LID), wire(conversation="hi"), id_=id_))


def learnt_in(run: Running) -> list[object]:
    kept = [payload for payload in run.kept.payloads if unwrap(payload).code == LEARNT]
    return [event for payload in kept for event in read_payload(payload)]


async def test_a_hidden_address_is_looked_up_after_its_message_was_kept(rig: LinkedRig) -> None:
    """The message is in the journal first; the number follows, once, off the library's thread."""
    rig.library.stored[LID[0]] = PHONE
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        await stranger_writes(rig)
        await run.until(lambda: len(run.kept.payloads) == 2)
        assert [unwrap(payload).code for payload in run.kept.payloads] == [Code.MESSAGE, LEARNT]
        await stranger_writes(rig, "3A02")
        await rig.client_writes("with a number")
        await run.until(lambda: len(run.kept.payloads) == 4)
        await settle()
    assert learnt_in(run) == [SAME]


async def test_a_number_that_nobody_knows_is_not_made_up(rig: LinkedRig) -> None:
    """The library has nothing, or our own number: nothing is handed over but the message."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        await stranger_writes(rig)
        rig.library.stored[LID[0]] = OWN_PHONE
        await stranger_writes(rig, "3A02")
        rig.library.stored[LID[0]] = PHONE
        await stranger_writes(rig, "3A03")
        await run.until(lambda: bool(learnt_in(run)))
    assert learnt_in(run) == [SAME]
    assert len(run.kept.payloads) == 4


async def test_a_send_tells_the_hidden_address_of_its_number(rig: LinkedRig) -> None:
    """So that an answer by hidden address alone comes into the conversation that we began."""
    rig.library.answer = lambda: samples.answer(id_="3EB0", chat=LID)
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        await rig.engine.send(reply_to(rig, "Добрый день"))
        await run.until(lambda: bool(learnt_in(run)))
        await rig.engine.send(reply_to(rig, "ещё раз"))
        await settle()
    assert learnt_in(run) == [SAME]


# --- What WhatsApp is asked -----------------------------------------------------------------------


class Asked:
    """WhatsApp, which has nobody."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, request: bytes) -> bytes:
        self.batches.append(request.decode().split(" "))
        await self.gate.wait()
        return check_answer({}, *self.batches[-1])


def nothing_learnt(hidden: str, number: str) -> None:
    raise AssertionError((hidden, number))


async def test_numbers_are_checked(rig: LinkedRig) -> None:
    """There or not, told by the number asked though the answer names a hidden address."""
    rig.library.check = lambda _: check_answer({f"+{ANNA}": LID}, f"+{BORIS}")
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        assert await rig.engine.check([ANNA, BORIS]) == {ANNA: True, BORIS: False}
        await run.until(lambda: bool(learnt_in(run)))
    assert rig.library.asked == [[f"+{ANNA}", f"+{BORIS}"]]
    assert learnt_in(run) == [SAME]


@pytest.mark.parametrize(
    "answer",
    [
        check_answer({}, error="info query timed out"),
        check_answer({}, error="rate-overlimit"),
        check_answer({}, f"+{ANNA}", error="half an answer"),
        check_answer({}),
        check_answer({}, "+70000000000"),
        b"\xff garbage",
    ],
)
async def test_a_failure_is_never_a_no(rig: LinkedRig, answer: bytes) -> None:
    """A timeout, a limit, another number's answer, garbage: it is not known, and that is all."""
    rig.library.check = lambda _: answer
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        assert await rig.engine.check([ANNA]) == {ANNA: None}


async def test_a_check_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own limit is over a minute; a person waits for less."""
    monkeypatch.setattr(checking, "LIMIT_S", 0.05)

    async def never(_: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    assert await Checking(HandClock(), never, nothing_learnt).check([ANNA]) == {ANNA: None}


async def test_without_a_connection_nothing_is_asked(rig: LinkedRig) -> None:
    """Before the session and after it, nothing is known and nobody is asked."""
    assert await rig.engine.check([ANNA]) == {ANNA: None}
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.DISCONNECTED)
        await run.state(SessionState.RECONNECTING)
        await rig.clock.advance_ms(checking.EVERY_MS)
        assert await rig.engine.check([ANNA]) == {ANNA: None}
    assert rig.library.asked == []


async def test_many_numbers_are_asked_in_batches_with_pauses() -> None:
    """Fifty at a time, one batch after the other, never two within the interval; none twice."""
    clock, asked = HandClock(), Asked()
    channel = Checking(clock, asked, nothing_learnt)
    many = [f"7900{number:07}" for number in range(2 * checking.BATCH + 1)]
    call = asyncio.create_task(channel.check([*many, many[0]]))
    for batches in (1, 2, 3):
        await clock.advance_ms(checking.EVERY_MS - 1)
        assert len(asked.batches) == batches
        await clock.advance_ms(1)
    assert await call == dict.fromkeys(many, False)
    assert [len(batch) for batch in asked.batches] == [50, 50, 1]


async def test_one_asking_is_in_flight() -> None:
    """Who asks while somebody asks waits his turn, and then the interval."""
    clock, asked = HandClock(), Asked()
    asked.gate.clear()
    channel = Checking(clock, asked, nothing_learnt)
    calls = [asyncio.create_task(channel.check([number])) for number in (ANNA, BORIS)]
    await clock.advance_ms(2 * checking.EVERY_MS)
    assert asked.batches == [[f"+{ANNA}"]]
    asked.gate.set()
    await clock.advance_ms(checking.EVERY_MS)
    assert await asyncio.gather(*calls) == [{ANNA: False}, {BORIS: False}]


async def test_a_clock_that_was_set_back_costs_one_interval() -> None:
    """Nobody waits for the hour that an administrator took back."""
    clock, asked = HandClock(), Asked()
    channel = Checking(clock, asked, nothing_learnt)
    assert await channel.check([ANNA]) == {ANNA: False}
    clock.jump_ms(-3_600_000)
    call = asyncio.create_task(channel.check([BORIS]))
    await clock.advance_ms(checking.EVERY_MS)
    assert await call == {BORIS: False}
