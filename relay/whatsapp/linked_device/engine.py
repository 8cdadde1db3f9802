"""The engine of a linked device: one channel's session, held through drops, bans and restarts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

from relay.delivery.ports import (
    Clock,
    HandOver,
    KeptFile,
    MediaGoneError,
    MediaUnavailableError,
    MediaWriter,
    Report,
    Throttle,
    unthrottled,
)
from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.ids import ChannelId, ClientAddress, OwnNumber, WhatsAppMessageId
from relay.domain.message import WhatsAppEvent
from relay.domain.outbox import Outcome
from relay.domain.retry import MINUTE, SECOND, RetryPolicy
from relay.domain.session import SessionState
from relay.whatsapp.linked_device import states
from relay.whatsapp.linked_device.avatars import bring_avatar
from relay.whatsapp.linked_device.book import AddressBook
from relay.whatsapp.linked_device.checking import Checking
from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.early import hand_over_early
from relay.whatsapp.linked_device.importing import Importing
from relay.whatsapp.linked_device.learning import Learning
from relay.whatsapp.linked_device.library import Library, LibraryMissingError
from relay.whatsapp.linked_device.library_log import without_numbers
from relay.whatsapp.linked_device.life import Life
from relay.whatsapp.linked_device.media_errors import GoneError, HostError
from relay.whatsapp.linked_device.media_host import MediaHost
from relay.whatsapp.linked_device.neonize_binding import load_library
from relay.whatsapp.linked_device.outbound import Outbound
from relay.whatsapp.linked_device.paired import Paired
from relay.whatsapp.linked_device.pairing_terms import NotUnlinkedError
from relay.whatsapp.linked_device.protobufs import load
from relay.whatsapp.linked_device.reachability import reach
from relay.whatsapp.linked_device.reading import read_payload
from relay.whatsapp.linked_device.sealed import Sealed
from relay.whatsapp.linked_device.sealing import DamagedError
from relay.whatsapp.linked_device.standing import Standing
from relay.whatsapp.linked_device.states import Then, Verdict
from relay.whatsapp.linked_device.store import (
    SessionBusyError,
    SessionStore,
)
from relay.whatsapp.linked_device.threads import on_own_thread
from relay.whatsapp.linked_device.uploads import Uploads
from relay.whatsapp.linked_device.way import first_hop

OFFLINE_LIMIT_MS = 3 * MINUTE  # then our own backoff takes over from the library's
OFFLINE_CHECK_MS = 5 * SECOND
STABLE_MS = 2 * MINUTE
REMOVE_LIMIT_S = 15.0


def nothing_kept(name: str) -> Path:
    """The files of a device that is to send no media."""
    raise MediaGoneError(f"no file is kept under {name}")


class LinkedDevice:
    """An engine (``relay.delivery.ports.Engine``) on a WhatsApp Web session.

    ``store_path`` is the session's own file. ``phone``, if set, is the only number the session may
    have. ``proxy`` is a URL (``socks5://…``); without one the environment's applies. ``kept``
    finds the files that are to be sent, and large ones wait for ``throttle``.
    ``import_history_ms``: how far back the past that WhatsApp hands over at linking is imported;
    None: not at all.
    """

    can_check = True

    def __init__(
        self,
        channel: ChannelId,
        store_path: Path,
        phone: str | None,
        proxy: str | None,
        clock: Clock,
        *,
        kept: KeptFile = nothing_kept,
        throttle: Throttle = unthrottled,
        import_history_ms: int | None = None,
        library: Callable[[], Library] = load_library,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._channel = channel
        self._store = SessionStore(store_path)
        self._proxy = proxy
        self._clock = clock
        self._standing = Standing(clock)
        self._paired = Paired(channel, self._store, phone, clock, self._standing)
        self._media_host = MediaHost(proxy, throttle)
        uploads = Uploads(kept, self._media_host)
        self._outbound = Outbound(channel, store_path, uploads, self._online, self._learn)
        self._past = Importing(
            channel, store_path, import_history_ms, clock, self._standing.tell_progress
        )
        self._load = library
        self._retry = retry or RetryPolicy()
        self._client: Client | None = None
        self._life: Life | None = None
        self._learning: Learning | None = None
        self._checking = Checking(clock, self._ask_for_numbers, self._learn)
        self._removed = asyncio.Event()

    # --- The port --------------------------------------------------------------------------------

    async def run(self, hand_over: HandOver, report: Report) -> None:
        """See :class:`relay.delivery.ports.Engine`."""
        await on_own_thread("load-messages", load)
        self._standing.begin(report)
        async with self._media_host.opened(), self._past.beside(hand_over):
            await self._live(hand_over)

    async def _live(self, hand_over: HandOver) -> NoReturn:
        """One life after the other."""
        attempts, again = 0, False
        while True:
            if await self._paired.wait(partial(self._hand_over_early, hand_over)) or not again:
                self._standing.tell(SessionState.CONNECTING, "connecting")
            # Else it is the same outage, with the state and the "since" that it began with.
            born_ms = self._clock.now_ms()
            verdict = await self._one_life(hand_over)
            # A life cut short at once, again and again, must not become a storm of logins.
            lasted = self._clock.now_ms() - born_ms >= STABLE_MS
            attempts, again = 1 if lasted else attempts + 1, verdict.then is Then.AGAIN
            await self._rest(verdict, attempts)

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        """See :class:`relay.delivery.ports.Engine`."""
        return read_payload(payload)

    async def prepare(self, reply: Reply) -> Outcome | None:
        """See :class:`relay.delivery.ports.Engine`."""
        return await self._outbound.prepare(reply)

    async def send(self, reply: Reply) -> Outcome:
        """See :class:`relay.delivery.ports.Engine`."""
        return await self._outbound.send(reply)

    async def react(self, reaction: ReplyReaction) -> Outcome:
        """See :class:`relay.delivery.ports.Engine`."""
        return await self._outbound.react(reaction)

    async def show_typing(self, to: ClientAddress) -> None:
        """See :class:`relay.delivery.ports.Engine`."""
        await self._outbound.show_typing(to)

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        """See :class:`relay.delivery.ports.Engine`."""
        return await self._outbound.sent_as(reply)

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """See :class:`relay.delivery.ports.Engine`."""
        try:
            await self._media_host.fetch(Sealed.parse(ref), write)
        except (GoneError, DamagedError, ValueError) as error:
            raise MediaGoneError(str(error)) from error
        except HostError as error:
            raise MediaUnavailableError(str(error)) from error

    async def avatar(self, of: ClientAddress, write: MediaWriter) -> None:
        """See :class:`relay.delivery.ports.Engine`."""
        await bring_avatar(self._online(), self._media_host, of, write)

    def _online(self) -> Client | None:
        return self._client if self._standing.state is SessionState.CONNECTED else None

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        """See :class:`relay.delivery.ports.Engine`."""
        return await self._checking.check(numbers)

    async def _ask_for_numbers(self, request: bytes) -> bytes | None:
        client = self._online()
        if client is None:
            return None
        return await client.calls.ask("check", lambda lib, name: lib.is_on_whatsapp(name, request))

    def _learn(self, hidden: str, number: str) -> None:
        if self._learning is not None:
            self._learning.learnt(hidden, number)

    def paired(self) -> None:
        """Somebody has paired the channel: look at once."""
        self._paired.look()

    async def unpair(self) -> OwnNumber:
        """Log the device out at WhatsApp and remove the session; the number it had.

        Raises:
            NotUnlinkedError: not connected, or WhatsApp did not take it; the session is kept.
        """
        async with self._outbound.turn:  # a message in flight comes first
            client, life = self._client, self._life
            own = client.own if client else None
            if client is None or life is None or own is None or not life.connected:
                raise NotUnlinkedError(f"the channel is {self._standing.state.value}")
            if error := await client.calls.logout():
                raise NotUnlinkedError(without_numbers(error))
            life.unlinked()
        with suppress(TimeoutError):  # a stop of the relay came between: the keys are gone already
            async with asyncio.timeout(REMOVE_LIMIT_S):
                await self._removed.wait()
        return own

    # --- A session's life ------------------------------------------------------------------------

    async def _hand_over_early(self, hand_over: HandOver) -> None:
        """What was heard while the device was being linked comes before all else."""
        await hand_over_early(self._store.path, partial(self._past.route, hand_over))

    async def _one_life(self, hand_over: HandOver) -> Verdict:
        """Connect and stay until something ends it; returns what ended it."""
        try:
            with self._store.locked():
                self._store.prepare()
                unreachable = await reach(first_hop(self._proxy))
                if unreachable is not None:
                    return Verdict(SessionState.RECONNECTING, unreachable, Then.AGAIN)
                return self._removing(await self._with_client(hand_over))
        except SessionBusyError:
            reason = "another process is using the session (a pairing, a second relay)"
            return Verdict(SessionState.REPLACED, reason, Then.AGAIN)
        except (OSError, ValueError, LibraryMissingError) as error:
            return Verdict(SessionState.FAILED, str(error), Then.AGAIN)

    def _removing(self, verdict: Verdict) -> Verdict:
        """Remove the session's file, with its keys, if it was unlinked on our demand."""
        if verdict is states.UNLINKED:
            self._store.remove()
            self._past.forget()
            self._standing.own = None
            self._removed.set()
        return verdict

    async def _with_client(self, hand_over: HandOver) -> Verdict:
        library = await on_own_thread("load-library", self._load)
        life = Life(lambda verdict: self._standing.tell(verdict.state, verdict.reason))
        learning = Learning(hand_over)
        book = AddressBook(self._channel, self._clock)
        client = Client(
            library,
            self._store.database,
            self._proxy,
            hand_over,
            life,
            archive=self._past.archive,
            name_in=book.name_in,
            on_stranger=learning.stranger,
        )
        self._client, self._life, self._learning = client, life, learning
        self._removed.clear()
        try:
            await client.start()
            async with learning.beside(client), book.beside(client):
                verdict = states.dated(await self._watch(life.over), self._clock.now_ms())
            self._standing.tell(verdict.state, verdict.reason)
            return verdict
        finally:
            self._client = self._life = self._learning = None
            await client.stop()

    async def _watch(self, over: asyncio.Future[Verdict]) -> Verdict:
        """What ended the client's life, or that it has been offline for too long."""
        wake, born_ms = asyncio.Event(), self._clock.now_ms()
        over.add_done_callback(lambda _: wake.set())
        while not over.done():
            await self._clock.wait_ms(wake, OFFLINE_CHECK_MS)
            connected = self._standing.state is SessionState.CONNECTED
            offline_ms = self._clock.now_ms() - max(self._standing.since_ms, born_ms)
            if not connected and offline_ms >= OFFLINE_LIMIT_MS:
                return states.OFFLINE
        return over.result()

    async def _rest(self, verdict: Verdict, attempts: int) -> None:
        """Say what happened, and wait as long as it demands."""
        self._standing.tell(verdict.state, verdict.reason)
        backoff_ms = self._retry.delay_ms(attempts, random.random())  # noqa: S311 - jitter
        wait_ms = verdict.rest_ms if verdict.then is Then.REST else backoff_ms
        await self._paired.rest(wait_ms)
