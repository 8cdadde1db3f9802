"""Sends what is due: the head of each lane, many lanes at once, one attempt at a time in each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from relay.delivery.ledger import Ledger, Link, Store, StoreRefusedError
from relay.delivery.letters import Cause, failure_letters, status_letter
from relay.delivery.ports import Clock, Courier
from relay.delivery.steps import Steps
from relay.domain.ids import ChannelId, CrmMessageId, WhatsAppMessageId
from relay.domain.message import Failure, NewMessage, Reply, StatusUpdate
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
from relay.domain.retry import RetryPolicy
from relay.domain.settings import Settings
from relay.domain.texts import Reason, reason_text

_log = structlog.stdlib.get_logger("relay.delivery")

_REFUSED_WAIT_MS = 500
_SLEEP_AT_MOST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an outcome means for the entry: its next state, when it is due, and in which words."""

    state: EntryState
    due_ms: int
    error: str | None = None
    failure: Failure = Failure.OTHER
    tell: str | None = None


def rule_on(
    outcome: Outcome, entry: Entry, now_ms: int, policy: RetryPolicy, chance: float
) -> Ruling:
    """What follows from the outcome of one more attempt at the entry."""
    match outcome:
        case Delivered():
            return Ruling(EntryState.DELIVERED, now_ms)
        case Dead(reason, failure, tell):
            return Ruling(EntryState.DEAD, now_ms, reason, failure, tell or Reason.REFUSED)
        case Unknown(reason):
            return Ruling(EntryState.DEAD, now_ms, reason, tell=Reason.OUTCOME_UNKNOWN)
        case Retry(reason, after_ms):
            expires = entry.letter.expires_ms
            if now_ms >= expires:
                return Ruling(EntryState.DEAD, now_ms, f"gave up: {reason}", tell=Reason.EXPIRED)
            delay = policy.delay_ms(entry.attempts + 1, chance) if after_ms is None else after_ms
            delay = min(delay, policy.longest_ms)
            return Ruling(EntryState.PENDING, min(now_ms + delay, expires), reason)


@dataclass(frozen=True, slots=True)
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
        self._busy: set[EntryId] = set()
        self._woken = asyncio.Event()
        self._draining = False
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
        self._draining = True
        await self._idle.wait()

    async def run(self) -> None:
        """Send for ever. Cancelled, it cancels the attempts in hand."""
        await self.resolve_begun()
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._woken.clear()
                claim = await self._claim()
                for entry in () if self._draining else claim.entries:
                    self._busy.add(entry.id)
                    self._idle.clear()
                    attempts.create_task(self._attempt(entry), name=f"attempt {entry.id}")
                await self._wait(claim.next_due_ms)

    async def resolve_begun(self) -> None:
        """Attempts that a kill interrupted: repeated where nobody sees that, else ended."""
        begun = await self._store.query(lambda ledger: ledger.begun(self._destination))
        for entry in begun:
            if self._courier.repeatable:
                outcome: Outcome = Retry("interrupted", after_ms=0)
            else:
                outcome = Unknown("the relay was stopped while this was being sent")
            await self._settle(entry, outcome)

    async def _claim(self) -> _Claim:
        room = 0 if self._draining else self._concurrency - len(self._busy)
        if room <= 0:
            return _Claim((), None)
        destination, horizon = self._destination, self._policy.longest_ms
        now, busy = self._clock.now_ms(), set(self._busy)

        def work(ledger: Ledger) -> _Claim:
            entries = ledger.due(destination, now, room, busy, horizon)
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

    async def _attempt(self, entry: Entry) -> None:
        try:
            outcome = await self._outcome(entry)
            await self._settle(entry, outcome)
        except StoreRefusedError:
            await self._clock.sleep_ms(_REFUSED_WAIT_MS)  # nothing was sent; it is still due
        finally:
            self._busy.discard(entry.id)
            if not self._busy:
                self._idle.set()
            self.wake()

    async def _outcome(self, entry: Entry) -> Outcome:
        """One attempt.

        Raises:
            StoreRefusedError: it could not be written down beforehand, so it was not made.
        """
        if not self._courier.repeatable:
            if self._clock.now_ms() >= entry.letter.expires_ms:
                return Dead("expired while waiting", tell=Reason.EXPIRED)
            await self._store.transact(lambda ledger: ledger.begin(entry.id))
        try:
            return await self._courier.deliver(entry)
        except Exception as error:  # noqa: BLE001  its fault must hold one letter, not all
            _log.exception("courier_failed", trace=entry.letter.trace)
            reason = f"{type(error).__name__} in the courier"
            return Retry(reason) if self._courier.repeatable else Unknown(reason)

    async def _settle(self, entry: Entry, outcome: Outcome) -> None:
        """Write down what became of an attempt, for as long as the disk refuses."""
        attempts, now = entry.attempts + 1, self._clock.now_ms()
        ruling = rule_on(outcome, entry, now, self._policy, self._chance())
        cause = Cause.letter(entry.letter, self._settings(), now)

        def work(ledger: Ledger) -> tuple[Letter, ...]:
            try:
                ledger.settle(
                    entry.id,
                    ruling.state,
                    attempts=attempts,
                    due_ms=ruling.due_ms,
                    now_ms=now,
                    error=ruling.error,
                )
            except ValueError:  # withdrawn in that very moment: see relay.delivery.holding
                return ()
            return what_follows(ledger, entry.letter, outcome, ruling, cause)

        letters = await self._insist(work)
        self._log_step(entry, ruling, attempts, now)
        for letter in letters:
            self._steps.accepted(letter, now)
            self._on_letters(letter.destination)

    async def _insist(self, work: Callable[[Ledger], tuple[Letter, ...]]) -> tuple[Letter, ...]:
        while True:
            try:
                return await self._store.transact(work)
            except StoreRefusedError:
                await self._clock.sleep_ms(_REFUSED_WAIT_MS)

    def _log_step(self, entry: Entry, ruling: Ruling, attempts: int, now: int) -> None:
        letter, error = entry.letter, ruling.error or ""
        match ruling.state:
            case EntryState.DELIVERED:
                self._steps.delivered(letter, attempts, now)
            case EntryState.DEAD:
                self._steps.dead(letter, attempts, now, error)
            case _:
                self._steps.deferred(letter, attempts, now, error, next_try_ms=ruling.due_ms - now)


def what_follows(
    ledger: Ledger, letter: Letter, outcome: Outcome, ruling: Ruling, cause: Cause
) -> tuple[Letter, ...]:
    """Put the letters that follow from an attempt, in the same transaction; those new."""
    match letter.body, outcome:
        case NewMessage() as body, Delivered(str(reference)):
            ledger.link(Link(body.own, body.whatsapp_id, CrmMessageId(reference)))
        case Reply() as body, Delivered(str(reference)):
            return _put(ledger, _after_sending(ledger, body, reference, cause))
        case Reply() as body, _ if ruling.state is EntryState.DEAD:
            words = _words(ruling.tell, letter, cause.settings)
            return _put(ledger, failure_letters(ledger, body.crm_id, ruling.failure, words, cause))
    return ()


def _after_sending(ledger: Ledger, body: Reply, reference: str, cause: Cause) -> tuple[Letter, ...]:
    """Keep the pair of ids; a receipt that was quicker than this is told at once."""
    early = ledger.link(Link(body.own, WhatsAppMessageId(reference), body.crm_id))
    if early is None or not ledger.told(body.crm_id, early.status):
        return ()
    return (status_letter(StatusUpdate(body.crm_id, early.status), cause),)


def _put(ledger: Ledger, letters: tuple[Letter, ...]) -> tuple[Letter, ...]:
    return tuple(letter for letter in letters if ledger.put(letter) is not None)


def _words(tell: str | None, letter: Letter, settings: Settings) -> str:
    """The words for a manager: from the catalogue if ``tell`` is one of its reasons."""
    channel = settings.channels.get(letter.channel) if letter.channel else None
    title = channel.title if channel else letter.channel or ""
    try:
        return reason_text(Reason(tell or Reason.INTERNAL), settings.language, channel=title)
    except ValueError:
        return tell or ""
