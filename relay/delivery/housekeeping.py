"""Keeps the house: proof of life, a clock that jumped, and what is finished and old."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from relay.delivery.ledger import Ledger
from relay.delivery.ports import Clock
from relay.delivery.store import Store, StoreRefusedError
from relay.domain.retry import HOUR, SECOND
from relay.domain.values import value

_log = structlog.stdlib.get_logger("relay.housekeeping")

_ALIVE = "alive_ms"
_STOPPED = "stopped_cleanly"
_BEAT_MS = 5 * SECOND
_JUMP_MS = 60 * SECOND  # less is ordinary correction of a clock
_TIDY_EVERY_MS = HOUR
_TIDY_STEP = 500  # rows a transaction: a few milliseconds of the store's thread


@value
class UncleanStop:
    """The last process ended without saying so, somewhere between these two moments."""

    since_ms: int
    until_ms: int


async def note_start(store: Store, clock: Clock) -> UncleanStop | None:
    """Tell whether the last stop was unclean, and begin a new life."""
    now = clock.now_ms()

    def work(ledger: Ledger) -> UncleanStop | None:
        alive, stopped = ledger.fact(_ALIVE), ledger.fact(_STOPPED)
        ledger.set_fact(_ALIVE, str(now))
        ledger.set_fact(_STOPPED, "no")
        return UncleanStop(int(alive), now) if alive is not None and stopped == "no" else None

    return await store.transact(work)


async def note_stop(store: Store, clock: Clock) -> None:
    """The process is about to end in good order."""
    now = str(clock.now_ms())

    def work(ledger: Ledger) -> None:
        ledger.set_fact(_ALIVE, now)
        ledger.set_fact(_STOPPED, "yes")

    await store.transact(work)


class Heartbeat:
    """Writes down every few seconds that the loop and the journal are alive.

    ``on_beat`` is called after each beat that went through the store and back, with whether the
    disk took it; whoever feeds a watchdog does it there. ``elapsed_ms`` is a clock nobody sets.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        elapsed_ms: Callable[[], int],
        on_beat: Callable[[bool], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._elapsed_ms = elapsed_ms
        self._on_beat = on_beat
        self._offset = clock.now_ms() - elapsed_ms()

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await self.beat()
            await self._clock.sleep_ms(_BEAT_MS)

    async def beat(self) -> None:
        """One beat. A disk that refuses has answered: that is life, if not health."""
        now = self._clock.now_ms()
        jump = now - self._elapsed_ms() - self._offset
        try:
            if abs(jump) >= _JUMP_MS:
                await self._store.transact(lambda ledger: ledger.shift(jump))
                self._offset += jump
                _log.warning("clock_jumped", by_seconds=round(jump / SECOND))
            await self._store.transact(lambda ledger: ledger.set_fact(_ALIVE, str(now)))
        except StoreRefusedError as error:
            _log.error("journal_refused", error=str(error))
            self._on_beat(False)
        else:
            self._on_beat(True)


class Tidying:
    """Forgets what has been finished for longer than ``keep_ms`` (which a reload may change)."""

    def __init__(self, store: Store, clock: Clock, keep_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._keep_ms = keep_ms

    async def run(self) -> None:
        """Tidy up now and every hour, in small steps."""
        while True:
            forgotten = await self.tidy()
            if forgotten:
                _log.info("tidied", rows=forgotten)
            await self._clock.sleep_ms(_TIDY_EVERY_MS)

    async def tidy(self) -> int:
        """Forget everything old; how many rows."""
        before, total = self._clock.now_ms() - self._keep_ms(), 0
        while True:
            try:
                step = await self._store.transact(lambda ledger: ledger.tidy(before, _TIDY_STEP))
            except StoreRefusedError:
                return total
            total += step
            if step < _TIDY_STEP:
                return total
