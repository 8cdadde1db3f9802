"""Sends what is due: the head of each lane, many lanes at once, one attempt at a time in each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from relay.delivery.aftermath import TURN, Settled, put_off, settle
from relay.delivery.awaiting import first_tries
from relay.delivery.ledger import Ledger
from relay.delivery.lines import Lines, unless
from relay.delivery.pacing import Attempt, may_go, permit, too_late
from relay.delivery.ports import Clock, Courier
from relay.delivery.steps import Steps
from relay.delivery.store import Store, StoreRefusedError
from relay.domain.ids import ChannelId
from relay.domain.outbox import (
    Dead,
    Destination,
    Entry,
    EntryId,
    EntryState,
    Outcome,
    Retry,
    Unknown,
)
from relay.domain.pacing import Go, TooLate, Verdict, Wait
from relay.domain.retry import RetryPolicy
from relay.domain.settings import Settings
from relay.domain.values import value

_log = structlog.stdlib.get_logger("relay.delivery")

_REFUSED_WAIT_MS = 500
_SLEEP_AT_MOST_MS = 60_000
_ABREAST = 2  # of one channel: while one is being sent, the next is being written down


@value
class _Claim:
    """What may be attempted now, and when to look again (None: when woken)."""

    entries: Sequence[Entry]
    next_due_ms: int | None


class Dispatcher:
    """Carries the letters of one destination, through one courier.

    At most ``concurrency`` attempts are in flight. ``chance`` gives numbers in [0, 1) for jitter.
    """

    def __init__(
        self,
        destination: Destination,
        store: Store,
        courier: Courier,
        clock: Clock,
        settings: Callable[[], Settings],
        *,
        concurrency: int,
        chance: Callable[[], float],
        on_letters: Callable[[Destination], None],
        steps: Steps,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._destination = destination
        self._store = store
        self._courier = courier
        self._clock = clock
        self._settings = settings
        self._concurrency = concurrency
        self._chance = chance
        self._on_letters = on_letters
        self._steps = steps
        self._policy = policy or RetryPolicy()
        self._lines = Lines(clock, _ABREAST)
        self._busy: set[EntryId] = set()
        self._woken = asyncio.Event()
        self._draining = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def wake(self) -> None:
        """There may be something due."""
        self._woken.set()

    async def hasten(self, channel: ChannelId | None = None) -> None:
        """What waits for a later try is due now: the way (of one channel, or all) is open again."""
        now = self._clock.now_ms()
        try:
            await self._store.transact(
                lambda ledger: ledger.hasten(self._destination, channel, now)
            )
        except StoreRefusedError:
            return  # they are tried again in their own time
        self.wake()

    async def drain(self) -> None:
        """Begin nothing more; back when every attempt in hand has ended."""
        self._draining.set()
        self._lines.dissolve()
        await self._idle.wait()

    async def run(self) -> None:
        """Send for ever. Cancelled, it cancels the attempts in hand."""
        await self.resolve_begun()
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._woken.clear()
                claim = await self._claim()
                for entry in () if self._draining.is_set() else claim.entries:
                    self._busy.add(entry.id)
                    self._idle.clear()
                    attempts.create_task(self._try(entry), name=f"attempt {entry.id}")
                await self._wait(claim.next_due_ms)

    async def resolve_begun(self) -> None:
        """Attempts that a kill interrupted: repeated where nobody sees that, else ended."""
        begun = await self._store.query(lambda ledger: ledger.begun(self._destination))
        for entry in begun:
            await self._settle(entry, await self._courier.interrupted(entry))

    async def _claim(self) -> _Claim:
        room = 0 if self._draining.is_set() else self._concurrency - len(self._busy)
        if room <= 0:
            return _Claim((), None)
        destination, horizon = self._destination, self._policy.longest_ms
        now, busy = self._clock.now_ms(), set(self._busy)

        def work(ledger: Ledger) -> _Claim:
            entries = list[Entry]()
            if destination is Destination.MEDIA:
                entries += first_tries(ledger, room, busy)
            entries += ledger.due(destination, now, room - len(entries), busy, horizon)
            if len(entries) == room:
                return _Claim(entries, None)
            busy.update(entry.id for entry in entries)
            return _Claim(entries, ledger.next_due_ms(destination, busy))

        return await self._store.query(work)

    async def _wait(self, next_due_ms: int | None) -> None:
        if next_due_ms is None:
            await self._woken.wait()
            return
        pause = min(max(0, next_due_ms - self._clock.now_ms()), _SLEEP_AT_MOST_MS)
        await self._clock.wait_ms(self._woken, pause)

    async def _try(self, entry: Entry) -> None:
        try:
            if self._courier.repeatable:
                await self._settle(entry, await self._outcome(entry))
            else:
                await self._try_once(entry)
        except StoreRefusedError:
            await self._clock.sleep_ms(_REFUSED_WAIT_MS)  # nothing was sent; it is still due
        finally:
            self._busy.discard(entry.id)
            if not self._busy:
                self._idle.set()
            self.wake()

    async def _try_once(self, entry: Entry) -> None:
        """An attempt whose repetition would be seen. Until it is begun, a stop undoes it."""
        if not await self._prepared(entry):
            return
        await self._lead_in(entry)
        channel = entry.letter.channel
        if not await self._lines.enter(channel):
            await self._settle(entry, Retry("not sent: the channel is busy with other messages"))
            return
        try:
            if self._draining.is_set():
                return
            verdict = await self._begin(entry)
            if isinstance(verdict, Wait):
                return
            counted_ms = verdict.at_ms if isinstance(verdict, Go) else None
            outcome = verdict if isinstance(verdict, Dead) else await self._outcome(entry)
        finally:
            self._lines.leave(channel)
        await self._settle(entry, outcome, counted_ms)

    async def _prepared(self, entry: Entry) -> bool:
        """Whether everything the attempt needs is there; if not, what that means is settled."""
        try:
            outcome = await unless(self._draining, self._courier.prepare(entry))
        except Exception as error:  # noqa: BLE001  its fault must hold one letter, not all
            _log.exception("courier_failed", trace=entry.letter.trace)
            outcome = Retry(f"{type(error).__name__} in the courier")
        if self._draining.is_set():
            return False
        if outcome is not None:
            await self._settle(entry, outcome)
        return outcome is None

    async def _lead_in(self, entry: Entry) -> None:
        """What is to be seen right before the attempt, if it may be made; cut short by a stop."""
        lead_ms = self._courier.lead_ms(entry)
        if not lead_ms:
            return
        attempt = self._now(entry)
        if await self._store.query(lambda ledger: may_go(ledger, attempt)):
            await self._courier.lead_in(entry)
            await self._clock.wait_ms(self._draining, lead_ms)

    async def _begin(self, entry: Entry) -> Go | Wait | Dead | None:
        """Write down that an attempt is made.

        ``Wait``: it was put off instead; ``Dead``: it must not be made; ``Go``: it is counted as
        one to a stranger.

        Raises:
            StoreRefusedError: it could not be written down, so it must not be made.
        """
        if self._clock.now_ms() >= entry.letter.expires_ms:
            return Dead("expired while waiting", tell=self._courier.why_late(entry))
        attempt = self._now(entry)

        def work(ledger: Ledger) -> Verdict | None:
            verdict = permit(ledger, attempt)
            if isinstance(verdict, Wait):
                put_off(ledger, attempt, verdict, self._policy)
            elif not isinstance(verdict, TooLate):
                ledger.begin(entry.id)
            return verdict

        verdict = await self._store.transact(work)
        if isinstance(verdict, TooLate):
            return too_late(verdict, attempt)
        if isinstance(verdict, Wait) and verdict.news:
            self._log_turn(entry, verdict, attempt.now_ms)
        return verdict

    def _now(self, entry: Entry) -> Attempt:
        now_ms, chance = self._clock.now_ms(), self._chance()
        return Attempt(entry, self._settings(), now_ms, chance, self._courier.why_late(entry))

    def _log_turn(self, entry: Entry, turn: Wait, now_ms: int) -> None:
        next_try_ms = turn.at_ms - now_ms
        self._steps.deferred(entry.letter, entry.attempts, now_ms, TURN, next_try_ms=next_try_ms)

    async def _outcome(self, entry: Entry) -> Outcome:
        """One attempt."""
        try:
            return await self._courier.deliver(entry)
        except Exception as error:  # noqa: BLE001  its fault must hold one letter, not all
            _log.exception("courier_failed", trace=entry.letter.trace)
            reason = f"{type(error).__name__} in the courier"
            return Retry(reason) if self._courier.repeatable else Unknown(reason)

    async def _settle(self, entry: Entry, outcome: Outcome, counted_ms: int | None = None) -> None:
        """Write down what became of an attempt, for as long as the disk refuses."""
        attempt = self._now(entry)

        def work(ledger: Ledger) -> Settled:
            return settle(ledger, attempt, outcome, counted_ms, self._policy)

        settled = await self._insist(work)
        self._log_step(entry, settled, attempt.now_ms)
        for letter in settled.letters:
            self._steps.accepted(letter, attempt.now_ms)
            self._on_letters(letter.destination)
        for letter in settled.died:
            self._steps.dead(letter, 0, attempt.now_ms, settled.ruling.error or "")
        for destination in settled.freed:
            self._on_letters(destination)

    async def _insist(self, work: Callable[[Ledger], Settled]) -> Settled:
        while True:
            try:
                return await self._store.transact(work)
            except StoreRefusedError:
                await self._clock.sleep_ms(_REFUSED_WAIT_MS)

    def _log_step(self, entry: Entry, settled: Settled, now: int) -> None:
        letter, attempts, ruling = entry.letter, entry.attempts + 1, settled.ruling
        error = ruling.error or ""
        if settled.closed_until_ms is not None:
            seconds = (settled.closed_until_ms - now) // 1000
            _log.warning("strangers_refused", channel=letter.channel, for_seconds=seconds)
        match ruling.state:
            case EntryState.DELIVERED:
                self._steps.delivered(letter, attempts, now)
            case EntryState.DEAD:
                self._steps.dead(letter, attempts, now, error)
            case _:
                self._steps.deferred(letter, attempts, now, error, next_try_ms=ruling.due_ms - now)
