"""The linking of a number on the pretended library: every end there is.

The same with the real library and a WhatsApp server: ``tests/whole/test_pairing.py``.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.whatsapp.linked_device import pairing
from relay.whatsapp.linked_device.early import Early, hand_over_early
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.pairing_terms import Linked, NotLinkedError, Why, Wish
from relay.whatsapp.linked_device.store import SessionStore
from tests.whatsapp.engine_contract import PATIENCE_S, Kept
from tests.whatsapp.linked_device import samples
from tests.whatsapp.linked_device.conftest import pair
from tests.whatsapp.linked_device.past_samples import chunk
from tests.whatsapp.linked_device.pretended_library import PretendedLibrary

OTHER = "74950000002"


@dataclass
class Screen:
    """Implements :class:`relay.whatsapp.linked_device.pairing_terms.Screen` as a list."""

    shown: asyncio.Queue[tuple[str, int]] = field(default_factory=asyncio.Queue)

    def show_code(self, text: str, seconds: int) -> None:
        self.shown.put_nowait((text, seconds))

    def show_letters(self, letters: str, seconds: int) -> None:
        self.shown.put_nowait((letters, seconds))

    def taken(self) -> None:
        self.shown.put_nowait(("taken", 0))

    async def next(self) -> tuple[str, int]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.shown.get()


@dataclass
class Desk:
    """A channel to be linked, and who takes part."""

    store: SessionStore
    proxy: str
    library: PretendedLibrary = field(default_factory=PretendedLibrary)
    screen: Screen = field(default_factory=Screen)

    def begin(self, *, history: bool = False, **wish: str) -> asyncio.Task[Linked]:
        """Begin to link."""
        asked = Wish(self.proxy, history=history, **wish)
        work = pairing.pair(self.store, asked, self.screen, lambda: self.library)
        return asyncio.create_task(work)

    @asynccontextmanager
    async def attempt(
        self, *, history: bool = False, **wish: str
    ) -> AsyncIterator[asyncio.Task[Linked]]:
        """An attempt whose first code is on the screen."""
        task = self.begin(history=history, **wish)
        assert await self.screen.next() == ("https://wa.me/first", 60)
        yield task

    async def taken(self) -> None:
        """The phone takes the code: the library has written the device into its file."""
        await asyncio.to_thread(pair, self.store.aside.path, self.library.own)
        self.library.happens(Code.LOGIN_STATUS, b"success")
        assert await self.screen.next() == ("taken", 0)
        self.told()

    def told(self) -> None:
        """The library says whose device it is."""
        self.library.happens(Code.DEVICE, samples.device(self.library.own))

    def let_in(self) -> None:
        """WhatsApp lets the new device in."""
        self.library.happens(Code.CONNECTED)

    def left(self) -> set[str]:
        """The files of the session."""
        return {path.name for path in self.store.path.parent.iterdir()}


@pytest.fixture
async def desk(tmp_path: Path, proxy: str) -> AsyncIterator[Desk]:
    """Nothing is linked; nothing that would end the process may happen."""
    desk = Desk(SessionStore(tmp_path / "sessions" / "sales.db"), proxy)
    desk.library.device_gone = True
    yield desk
    assert not desk.library.fatal


async def failure(task: asyncio.Task[Linked]) -> NotLinkedError:
    """How it failed."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(NotLinkedError) as caught:
            await task
    return caught.value


async def success(task: asyncio.Task[Linked]) -> Linked:
    """How it succeeded."""
    async with asyncio.timeout(PATIENCE_S):
        return await task


# --- Good ends -----------------------------------------------------------------------------------


async def test_the_session_is_in_its_place_when_the_device_was_let_in(desk: Desk) -> None:
    """Not when the code was taken: only a connection proves it, and the client is gone by then."""
    async with desk.attempt() as task:
        await desk.taken()
        assert not desk.store.path.exists()
        desk.let_in()
        assert await success(task) == Linked(samples.OWN, "Sales")
    assert desk.store.own_number() == samples.OWN
    assert desk.left() == {"sales.db"}
    assert desk.library.clients == {}


async def test_each_code_is_shown_with_its_time(desk: Desk) -> None:
    """The first code is good for 60 seconds, each next one for 20."""
    async with desk.attempt() as task:
        for text in (b"https://wa.me/second", b"https://wa.me/third"):
            desk.library.happens(Code.QR, text)
            assert await desk.screen.next() == (text.decode(), 20)
        task.cancel()


async def test_letters_are_asked_for_once(desk: Desk) -> None:
    """After the first code, for that number; codes are not shown then."""
    task = desk.begin(letters_for=samples.OWN)
    assert await desk.screen.next() == ("ABCD-EFGH", 160)
    desk.library.happens(Code.QR, b"https://wa.me/second")
    await desk.taken()
    desk.let_in()
    assert (await success(task)).own == samples.OWN
    assert desk.library.letters_for == [samples.OWN]


async def test_a_name_that_is_not_told_is_left_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WhatsApp may never tell it: the linking does not wait for long."""
    monkeypatch.setattr(pairing, "NAME_S", 0.05)
    desk.library.name = ""
    async with desk.attempt() as task:
        await desk.taken()
        desk.let_in()
        assert await success(task) == Linked(samples.OWN, None)


async def test_what_is_heard_meanwhile_is_kept(desk: Desk) -> None:
    """The event is in a file for the engine before the library goes on."""
    async with desk.attempt() as task:
        await desk.taken()
        desk.library.happens(
            Code.MESSAGE,
            samples.message(samples.source(samples.LID), samples.wire(conversation="рано")),
        )
        desk.let_in()
        await success(task)
    assert {Path(name).suffix for name in desk.left()} == {".db", ".early"}


async def test_the_past_is_waited_for_and_kept(desk: Desk) -> None:
    """What the phone hands over at once is not torn off; the engine finds it with the rest."""
    async with desk.attempt(history=True) as task:
        await desk.taken()
        desk.let_in()
        half, rest = (chunk(progress=progress) for progress in (50, 100))
        desk.library.happens(Code.HISTORY, half)
        await asyncio.sleep(0)
        assert not task.done()
        desk.library.happens(Code.HISTORY, rest)
        await success(task)
    kept = Kept()
    assert await hand_over_early(desk.store.path, kept) == 2
    assert kept.payloads == [samples.payload(Code.HISTORY, data) for data in (half, rest)]


async def test_a_phone_that_hands_nothing_over_holds_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The linking ends after a while; what comes later comes to the relay."""
    monkeypatch.setattr(pairing, "PAST_SILENCE_S", 0.05)
    async with desk.attempt(history=True) as task:
        await desk.taken()
        desk.let_in()
        await success(task)


# --- Bad ends: nothing is linked, the place is as it was ----------------------------------------


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (b"err-client-outdated", Why.OUTDATED),
        (b"err-scanned-without-multidevice", Why.OLD_PHONE),
        (b"passkey-request", Why.PASSKEY),
        (b"passkey-confirmation", Why.PASSKEY),
        (b"timeout", Why.LOST),
        (b"err-unexpected-state", Why.REFUSED),
        (b"a word of a newer library", Why.REFUSED),
    ],
)
async def test_how_the_codes_end(desk: Desk, word: bytes, why: Why) -> None:
    """Each word of the library has its reason; "timeout" before its time is a lost connection."""
    async with desk.attempt() as task:
        desk.library.happens(Code.LOGIN_STATUS, word)
        assert (await failure(task)).why is why
    assert desk.left() == set()


async def test_nobody_takes_a_code_in_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's "timeout" at the end of the last code's time is just that."""
    monkeypatch.setattr(pairing, "NEXT_CODE_S", 0)
    async with desk.attempt() as task:
        desk.library.happens(Code.QR, b"https://wa.me/last")
        desk.library.happens(Code.LOGIN_STATUS, b"timeout")
        assert (await failure(task)).why is Why.TIMEOUT


async def test_the_library_falls_silent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word where one is due the linking ends by itself."""
    monkeypatch.setattr(pairing, "SILENCE_S", 0.05)
    monkeypatch.setattr(pairing, "NEXT_CODE_S", 0)
    async with desk.attempt() as task:
        desk.library.happens(Code.QR, b"https://wa.me/last")
        assert (await failure(task)).why is Why.LOST


async def test_the_device_is_never_let_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that was taken is not enough; the place stays empty."""
    monkeypatch.setattr(pairing, "CONNECT_S", 0.05)
    async with desk.attempt() as task:
        await desk.taken()
        assert (await failure(task)).why is Why.NEVER_CONNECTED
    assert desk.left() == set()


@pytest.mark.parametrize("code", [Code.LOGGED_OUT, Code.STREAM_REPLACED])
async def test_the_device_is_refused(desk: Desk, code: Code) -> None:
    """WhatsApp says no to the new device itself."""
    async with desk.attempt() as task:
        await desk.taken()
        desk.library.happens(code)
        assert (await failure(task)).why is Why.REFUSED
    assert desk.left() == set()


@pytest.mark.parametrize(
    ("error", "why"), [("", Why.WRONG_NUMBER), ("websocket not connected", Why.WRONG_NUMBER_STAYS)]
)
async def test_a_wrong_number_is_logged_out(desk: Desk, error: str, why: Why) -> None:
    """Never is it in the channel's place; whether WhatsApp has forgotten it is told."""
    desk.library.own, desk.library.logout_error = OTHER, error
    async with desk.attempt(phone=samples.OWN) as task:
        await desk.taken()
        desk.let_in()
        failed = await failure(task)
    assert (failed.why, failed.detail) == (why, f"+{OTHER}")
    assert desk.library.logged_out == [OTHER]
    assert desk.left() == set()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("info query returned status 404: item-not-found", Why.NOT_ON_WHATSAPP),
        ("info query returned status 429: rate-overlimit", Why.TOO_MANY),
        ("something else about 74950000001", Why.REFUSED),
    ],
)
async def test_letters_are_refused(desk: Desk, error: str, why: Why) -> None:
    """By the library's words; numbers in them are masked."""
    desk.library.letters = samples.letters(error=error)
    failed = await failure(desk.begin(letters_for=samples.OWN))
    assert failed.why is why
    assert "something else about 74950000001" not in failed.detail


async def test_the_library_cannot_connect(desk: Desk) -> None:
    """Its last words are told; numbers in them are masked."""
    desk.library.dial_error = "failed to dial 74950000001"
    failed = await failure(desk.begin())
    assert (failed.why, failed.detail) == (Why.UNREACHABLE, "failed to dial +7…01")


async def test_an_event_cannot_be_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses ends the linking, rather than a message."""

    def refuse(_: Early, __: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Early, "from_thread", refuse)
    async with desk.attempt() as task:
        await desk.taken()
        desk.library.happens(Code.MESSAGE, b"anything")
        failed = await failure(task)
    assert failed.why is Why.BROKEN
    assert "No space" in failed.detail


async def _cancelled(task: asyncio.Task[Linked]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_interruption_leaves_nothing(desk: Desk) -> None:
    """Before the code was taken there is nothing to take back."""
    async with desk.attempt() as task:
        await _cancelled(task)
    assert desk.library.logged_out == []
    assert desk.left() == set()


@pytest.mark.parametrize("before", [True, False])
async def test_an_interruption_takes_the_device_back(desk: Desk, before: bool) -> None:
    """Once the code was taken the device is logged out, also if it must be let in first."""
    desk.library.name = ""  # so that its end is waited for
    async with desk.attempt() as task:
        await desk.taken()
        if not before:
            desk.let_in()
        task.cancel()
        if before:
            desk.let_in()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert desk.library.logged_out == [samples.OWN]
    assert desk.left() == set()


async def test_an_interruption_before_the_device_has_a_name_takes_it_back(desk: Desk) -> None:
    """WhatsApp has the device from the moment in which the code was taken."""
    async with desk.attempt() as task:
        desk.library.happens(Code.LOGIN_STATUS, b"success")
        assert await desk.screen.next() == ("taken", 0)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        desk.told()
        desk.let_in()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert desk.library.logged_out == [samples.OWN]
    assert desk.left() == set()


async def test_a_device_that_cannot_be_taken_back_is_told(desk: Desk) -> None:
    """The owner has to remove it on the phone, so he must learn of it."""
    desk.library.name, desk.library.logout_error = "", "websocket not connected"
    async with desk.attempt() as task:
        await desk.taken()
        desk.let_in()
        task.cancel()
        assert (await failure(task)).why is Why.INTERRUPTED
    assert desk.left() == set()


async def test_what_was_there_stays(desk: Desk) -> None:
    """A failed linking does not touch the file in the channel's place, whatever is in it."""
    desk.store.prepare()
    await asyncio.to_thread(desk.store.path.write_bytes, b"whatever")
    async with desk.attempt() as task:
        desk.library.happens(Code.LOGIN_STATUS, b"passkey-request")
        await failure(task)
    assert desk.left() == {"sales.db"}
    assert await asyncio.to_thread(desk.store.path.read_bytes) == b"whatever"
