"""Links a number: shows codes until the phone has taken one, and puts the session in its place.

It needs a process of its own, which must end by ``exit_process``: a client that nobody linked can
never be stopped. The session is made aside and moved into its place when it is whole and the
number is the right one, so whatever ends a pairing leaves the channel's file as it was.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol, cast

from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.early import Early
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.hearing import LAST
from relay.whatsapp.linked_device.library import Library
from relay.whatsapp.linked_device.library_log import without_numbers
from relay.whatsapp.linked_device.pairing_terms import Linked, NotLinkedError, Screen, Why, Wish
from relay.whatsapp.linked_device.protobufs import as_text, parse
from relay.whatsapp.linked_device.reachability import reach
from relay.whatsapp.linked_device.states import Then, verdict_on
from relay.whatsapp.linked_device.store import SessionStore
from relay.whatsapp.linked_device.threads import on_own_thread
from relay.whatsapp.linked_device.way import first_hop

FIRST_CODE_S, NEXT_CODE_S, CODES = 60, 20, 6
"""How long the library shows each code (whatsmeow ``qrchan.go``); WhatsApp usually gives six."""

LETTERS_S = FIRST_CODE_S + (CODES - 1) * NEXT_CODE_S
_NEARLY_OVER_S = 2.0
SILENCE_S = 30.0  # without a word of the library where one is due
CONNECT_S = 60.0
NAME_S = 4.0  # WhatsApp tells the name a moment after the first connection, or not at all
PAST_SILENCE_S = 15.0  # phones begin to hand over the past within seconds
PAST_S = 120.0  # what comes later comes to the relay
LOGOUT_S = 15.0
_ASK_AGAIN_S = 0.1


_ENDS = {
    "timeout": Why.TIMEOUT,
    "err-client-outdated": Why.OUTDATED,
    "err-scanned-without-multidevice": Why.OLD_PHONE,
    "passkey-request": Why.PASSKEY,
    "passkey-confirmation": Why.PASSKEY,
}
"""The library's words for how the showing of codes ended (whatsmeow ``qrchan.go``)."""

_NO_SUCH_NUMBER = re.compile(r"\b404\b")
_RATE = re.compile(r"\b429\b")
_Heard = tuple[int, bytes] | NotLinkedError


async def pair(
    store: SessionStore, wish: Wish, screen: Screen, load: Callable[[], Library]
) -> Linked:
    """Link a number to the channel of ``store``, which the caller has locked.

    Cancelled, it removes what it had begun, at WhatsApp too, and leaves the store as it was.

    Raises:
        NotLinkedError: it was not linked, and the store is as it was.
        OSError: the disk or its permissions are against it.
        LibraryMissingError: the library cannot be loaded.
    """
    unreachable = await reach(first_hop(wish.proxy))
    if unreachable is not None:
        raise NotLinkedError(Why.UNREACHABLE, unreachable)
    library = await on_own_thread("load-library", load)
    early = Early(store.path)
    async with _aside(store) as aside:
        pairing = _Pairing(library, aside, wish, early, screen)
        try:
            linked = await pairing.run()
        except BaseException:
            early.discard()
            raise
        finally:
            await pairing.hang_up()
        await on_own_thread("session-file", lambda: store.adopt(aside))
        early.keep()
        return linked


@asynccontextmanager
async def _aside(store: SessionStore) -> AsyncIterator[SessionStore]:
    """A place to make a session in; nothing of it stays."""
    aside = store.aside
    aside.remove()
    aside.prepare()
    try:
        yield aside
    finally:
        aside.remove()


class _Answer(Protocol):
    Code: str | bytes
    Error: str | bytes


class _Pairing:
    """One attempt; implements :class:`relay.whatsapp.linked_device.client.Listener`."""

    def __init__(
        self, library: Library, aside: SessionStore, wish: Wish, early: Early, screen: Screen
    ) -> None:
        self._wish = wish
        self._screen = screen
        archive = early if wish.history else None
        self._client = Client(library, aside.database, wish.proxy, early, self, archive=archive)
        self._queue: asyncio.Queue[_Heard] = asyncio.Queue()
        self._letters: asyncio.Task[None] | None = None
        self._codes = 0
        self._code_until = 0.0
        self._taken = False  # a phone has taken the code: from now on WhatsApp has a device
        self._let_in = False

    # --- The client's listener -------------------------------------------------------------------

    def heard(self, code: int, data: bytes) -> None:
        """An event came."""
        self._queue.put_nowait((code, data))

    def broken(self, error: BaseException) -> None:
        """An event could not be kept."""
        self._queue.put_nowait(NotLinkedError(Why.BROKEN, str(error)))

    def ended(self, words: str) -> None:
        """The library gave up."""
        why = Why.LOST if self._codes else Why.UNREACHABLE
        self._queue.put_nowait(NotLinkedError(why, without_numbers(words)))

    # --- The attempt -----------------------------------------------------------------------------

    async def run(self) -> Linked:
        """Show codes, wait until the device is let in, check the number, let go of the session."""
        try:
            await self._client.start()
            await self._until_let_in()
            linked = await self._check()
            await self._until_past_is_here()
        except asyncio.CancelledError:
            if not await self._take_back():
                raise NotLinkedError(Why.INTERRUPTED) from None
            raise
        finally:
            if self._letters is not None:
                self._letters.cancel()
        await self._client.stop()
        return linked

    async def hang_up(self) -> None:
        """A client whose linking failed cannot be stopped, but it gets no further."""
        await self._client.hang_up()

    async def _until_let_in(self) -> None:
        try:
            async with asyncio.timeout(SILENCE_S) as limit:
                while not self._let_in:
                    allowed_s = self._take(await self._queue.get())
                    if allowed_s is not None:
                        limit.reschedule(asyncio.get_running_loop().time() + allowed_s)
        except TimeoutError:
            raise NotLinkedError(Why.NEVER_CONNECTED if self._taken else Why.LOST) from None

    def _take(self, heard: _Heard) -> float | None:
        """Within how many seconds the next event must come; None: as was said before."""
        if isinstance(heard, NotLinkedError):
            raise heard
        code, data = heard
        if code == Code.QR:
            return self._show(data) + SILENCE_S
        if code == Code.LOGIN_STATUS:
            return self._end_of_codes(as_text(data))
        verdict = verdict_on(code, data)
        if code == Code.CONNECTED:
            self._let_in = True
        elif code == Code.CLIENT_OUTDATED:
            raise NotLinkedError(Why.OUTDATED)
        elif verdict is not None and verdict.then is not Then.STAY:
            raise NotLinkedError(Why.REFUSED, verdict.reason)
        return None

    def _show(self, data: bytes) -> int:
        seconds = NEXT_CODE_S if self._codes else FIRST_CODE_S
        self._codes += 1
        self._code_until = time.monotonic() + seconds
        if self._wish.letters_for is None:
            self._screen.show_code(as_text(data), seconds)
        elif self._letters is None:
            self._letters = asyncio.create_task(
                self._ask_for_letters(self._wish.letters_for), name="letters"
            )
        return seconds

    async def _ask_for_letters(self, digits: str) -> None:
        """Only after the first code: before that the library has no connection to ask by."""
        answer = cast(
            _Answer, parse("PairPhoneReturnFunction", await self._client.calls.letters(digits))
        )
        error = as_text(answer.Error)
        if not error:
            self._screen.show_letters(as_text(answer.Code), LETTERS_S)
        elif _NO_SUCH_NUMBER.search(error):
            self._queue.put_nowait(NotLinkedError(Why.NOT_ON_WHATSAPP, f"+{digits}"))
        elif _RATE.search(error):
            self._queue.put_nowait(NotLinkedError(Why.TOO_MANY))
        else:
            self._queue.put_nowait(NotLinkedError(Why.REFUSED, without_numbers(error)))

    def _end_of_codes(self, word: str) -> float:
        if word == "success":
            self._taken = True
            self._screen.taken()
            return CONNECT_S
        why = _ENDS.get(word, Why.REFUSED)
        if why is Why.TIMEOUT and time.monotonic() < self._code_until - _NEARLY_OVER_S:
            why = Why.LOST  # the library's one word for "too late" and "hung up"
        raise NotLinkedError(why, word)

    # --- The device that is linked ---------------------------------------------------------------

    async def _check(self) -> Linked:
        own = self._client.own
        if own is None:
            raise NotLinkedError(Why.BROKEN, "the library does not say whose device it is")
        if self._wish.phone is not None and own != self._wish.phone:
            removed = await self._take_back()
            raise NotLinkedError(Why.WRONG_NUMBER if removed else Why.WRONG_NUMBER_STAYS, f"+{own}")
        return Linked(own, await self._name())

    async def _name(self) -> str | None:
        try:
            async with asyncio.timeout(NAME_S):
                while (name := await self._client.calls.name()) is None:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(_ASK_AGAIN_S)
        except TimeoutError:
            return None
        return name

    async def _until_past_is_here(self) -> None:
        """What the phone hands over comes now; what was begun must not be torn off."""
        if not self._wish.history:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PAST_S):
                while True:
                    async with asyncio.timeout(PAST_SILENCE_S):
                        heard = await self._queue.get()
                    if heard == (Code.HISTORY, LAST):
                        return
                    self._take(heard)

    async def _take_back(self) -> bool:
        """Whether WhatsApp has no device of this attempt any more."""
        if not self._taken and self._client.own is None:
            return True
        try:
            async with asyncio.timeout(LOGOUT_S):
                while not self._let_in:
                    self._take(await self._queue.get())
                return not await self._client.calls.logout()
        except (TimeoutError, NotLinkedError):
            return False
