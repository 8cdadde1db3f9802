"""The past is kept whole and imported bit by bit."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from relay.delivery.store import StoreRefusedError
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.message import Received
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.history import Bit, History, Progress
from relay.whatsapp.linked_device.importing import AT_ONCE, PAUSE_MS, Importing
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.reading import read_payload
from tests.clock import HandClock
from tests.whatsapp.linked_device import samples
from tests.whatsapp.linked_device.past_samples import PUSH_NAMES, Chat, Said, chunk

OWN = samples.OWN
ANOTHER = {"jid": "79000000000@s.whatsapp.net", "fields": dict[str, str]()}
NOW_MS = 2_000_000
BACK_MS = 1_900_000


def received(payload: bytes) -> Received:
    *_, event = read_payload(payload)
    assert isinstance(event, Received)
    return event


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def texts(bits: Sequence[Bit]) -> list[tuple[str, bool]]:
    """Ids, and whether each is news."""
    said = [received(bit.payload) for bit in bits]
    return [(message.id, not message.silent) for message in said]


def history(directory: Path) -> History:
    return History(directory / "sales.db", BACK_MS)


def two_chats() -> bytes:
    """As phones hand them over, newest first."""
    return chunk(
        Chat([Said("A3", 1_003), Said("A2", 1_002, own=True), Said("A1", 1_001)]),
        Chat([Said("B2", 1_500, own=True), Said("B1", 1_400)], **ANOTHER),  # type: ignore[arg-type]
    )


def test_chats_come_one_by_one_the_latest_first_each_from_its_oldest_message(
    tmp_path: Path,
) -> None:
    """Only a client's newest message is news."""
    past = history(tmp_path)
    assert past.take(OWN, two_chats(), NOW_MS)
    order = []
    while bits := past.next(2):
        order += texts(bits)
        past.done(bits)
    assert order == [("B1", True), ("B2", False), ("A1", False), ("A2", False), ("A3", True)]
    assert past.progress() == Progress(5, 5)
    past.close()


def test_messages_of_one_second_keep_the_order_of_the_chat(tmp_path: Path) -> None:
    """WhatsApp tells times in whole seconds."""
    past = history(tmp_path)
    past.take(OWN, chunk(Chat([Said("A3", 1_001), Said("A2", 1_001), Said("A1", 1_001)])), NOW_MS)
    assert [id_ for id_, _ in texts(past.next(9))] == ["A1", "A2", "A3"]
    past.close()


def test_a_chunk_that_comes_twice_is_imported_once(tmp_path: Path) -> None:
    """Also in another process, and also when a part is imported already."""
    past = history(tmp_path)
    past.take(OWN, two_chats(), NOW_MS)
    past.done(past.next(1))
    past.close()
    again = history(tmp_path)
    assert again.waiting
    again.take(OWN, two_chats(), NOW_MS)
    assert again.progress() == Progress(1, 5)
    assert [id_ for id_, _ in texts(again.next(9))] == ["B2"]
    again.close()


def test_who_has_just_written_gets_his_whole_past_at_once_by_either_address(
    tmp_path: Path,
) -> None:
    """And none of it is news: what he has just written is."""
    past = history(tmp_path)
    past.take(OWN, two_chats(), NOW_MS)
    assert past.of(OWN, "79999999999", None) == []
    assert texts(past.of(OWN, None, samples.LID[0])) == texts(past.of(OWN, samples.PHONE[0], None))
    bits = past.of(OWN, samples.PHONE[0], samples.LID[0])
    assert texts(bits) == [("A1", False), ("A2", False), ("A3", False)]
    past.done(bits)
    assert past.of(OWN, samples.PHONE[0], samples.LID[0]) == []
    assert past.progress() == Progress(3, 5)
    past.close()


def test_a_name_that_comes_after_the_messages_is_theirs(tmp_path: Path) -> None:
    """Push names have a chunk of their own."""
    past = history(tmp_path)
    past.take(OWN, two_chats(), NOW_MS)
    names = ((f"{samples.LID[0]}@lid", "Анна"),)
    past.take(OWN, chunk(kind=PUSH_NAMES, names=names), NOW_MS)
    [first, *_] = past.of(OWN, samples.PHONE[0], None)
    assert received(first.payload).client.name == "Анна"
    past.close()


def test_it_is_whole_when_whatsapp_says_so_or_falls_silent(tmp_path: Path) -> None:
    """Before that the oldest message may still be to come."""
    past = history(tmp_path)
    assert not past.whole(NOW_MS)
    past.take(OWN, chunk(Chat([Said("A1", 1_001)]), progress=50), NOW_MS)
    assert not past.whole(NOW_MS + 59_999)
    assert past.whole(NOW_MS + 60_000)
    past.take(OWN, chunk(Chat([Said("A0", 1_000)])), NOW_MS)
    assert past.whole(NOW_MS)
    past.close()


def test_the_file_is_private_and_goes_for_good(tmp_path: Path) -> None:
    """It holds what people wrote."""
    past = history(tmp_path)
    past.take(OWN, two_chats(), NOW_MS)
    files = list(tmp_path.iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    past.forget()
    assert list(tmp_path.iterdir()) == []


# --- Into the journal ----------------------------------------------------------------------------


class Journal:
    """A hand-over that keeps ids; ``refusals``: so many times the disk refuses first."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.refusals = 0

    async def __call__(self, payload: bytes) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreRefusedError("full")
        self.from_thread(payload)

    def from_thread(self, payload: bytes) -> None:
        self.ids.append(received(payload).id)


class Import:
    """An import on a hand clock."""

    def __init__(self, directory: Path, back_ms: int | None = BACK_MS) -> None:
        self.clock = HandClock(NOW_MS)
        self.journal = Journal()
        self.told: list[Progress | None] = []
        self.over = asyncio.Event()
        session = directory / "sales.db"
        self.importing = Importing(ChannelId("sales"), session, back_ms, self.clock, self.tell)

    def tell(self, progress: Progress | None) -> None:
        self.told.append(progress)
        if progress is None:
            self.over.set()

    async def until(self, count: int) -> None:
        """Move the clock until so many messages are in the journal."""
        async with asyncio.timeout(60):
            while len(self.journal.ids) < count:
                await self.clock.advance_ms(PAUSE_MS)
                await asyncio.sleep(0.001)  # its thread is a real one


@asynccontextmanager
async def importing(directory: Path) -> AsyncIterator[Import]:
    scene = Import(directory)
    async with scene.importing.beside(scene.journal):
        yield scene


def many(count: int) -> bytes:
    return chunk(Chat([Said(f"A{number:04}", 1_000 + number) for number in range(count)][::-1]))


async def test_the_past_goes_into_the_journal_slowly_and_in_order(tmp_path: Path) -> None:
    """A few messages at a time, so that news goes between; progress is told."""
    async with importing(tmp_path) as scene:
        scene.importing.keep_past(OWN, many(120))
        await scene.until(120)
        assert scene.journal.ids == [f"A{number:04}" for number in range(120)]
        assert scene.clock.now_ms() - NOW_MS >= (120 / AT_ONCE - 1) * PAUSE_MS
        await asyncio.wait_for(scene.over.wait(), 20)
    assert any(progress is not None and progress.total == 120 for progress in scene.told)


async def test_a_stop_in_the_middle_loses_and_repeats_nothing_but_the_last_bit(
    tmp_path: Path,
) -> None:
    """The next process goes on where this one stopped; the journal knows what it has."""
    async with importing(tmp_path) as scene:
        scene.importing.keep_past(OWN, many(50))
        await scene.until(20)
    done = list(scene.journal.ids)
    async with importing(tmp_path) as after:
        await after.until(50 - len(done))
    assert list(dict.fromkeys(done + after.journal.ids)) == [
        f"A{number:04}" for number in range(50)
    ]
    assert len(done + after.journal.ids) <= 50 + AT_ONCE


async def test_a_disk_that_refuses_holds_the_import_and_ends_nothing(tmp_path: Path) -> None:
    """It goes on when there is room."""
    async with importing(tmp_path) as scene:
        scene.journal.refusals = 3
        scene.importing.keep_past(OWN, many(10))
        await scene.until(10)
        assert scene.journal.ids == [f"A{number:04}" for number in range(10)]


async def test_a_message_goes_behind_its_chats_past(tmp_path: Path) -> None:
    """Of that client only, and the rest goes on as it would."""
    async with importing(tmp_path) as scene:
        scene.importing.keep_past(OWN, two_chats())
        live = samples.message(samples.source(samples.LID, sender_alt=samples.PHONE), id_="LIVE")
        for payload in scene.importing.before(OWN, Code.MESSAGE, live):
            scene.journal.from_thread(payload)
        assert scene.journal.ids[-3:] == ["A1", "A2", "A3"]
        assert list(scene.importing.before(OWN, Code.MESSAGE, live)) == []


async def test_a_chunk_that_cannot_be_read_ends_no_session(tmp_path: Path) -> None:
    """It is logged; what came before and after is imported."""
    async with importing(tmp_path) as scene:
        assert not scene.importing.keep_past(OWN, b"\xff")
        scene.importing.keep_past(OWN, two_chats())
        await scene.until(5)


async def test_what_was_heard_during_the_linking_takes_the_same_road(tmp_path: Path) -> None:
    """An early chunk is kept; everything else is handed over as it is."""
    async with importing(tmp_path) as scene:
        live = wrap(RawEvent(Code.MESSAGE, OWN, samples.message(samples.source(samples.PHONE))))
        await scene.importing.route(scene.journal, live)
        assert scene.journal.ids == ["3A01"]
        early = wrap(RawEvent(Code.HISTORY, OwnNumber(OWN), two_chats()))
        await scene.importing.route(scene.journal, early)
        await scene.until(6)


async def test_without_the_wish_nothing_is_kept_and_what_was_kept_goes(tmp_path: Path) -> None:
    """A file from a time when it was wanted is removed at the next start."""
    past = history(tmp_path)
    past.take(OWN, two_chats(), NOW_MS)
    past.close()
    scene = Import(tmp_path, back_ms=None)
    async with scene.importing.beside(scene.journal):
        assert scene.importing.archive is None
        early = wrap(RawEvent(Code.HISTORY, OwnNumber(OWN), two_chats()))
        await scene.importing.route(scene.journal, early)
    assert files_in(tmp_path) == []
    assert scene.journal.ids == []
