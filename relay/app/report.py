"""Gathers what ``/healthz``, ``/readyz`` and ``/metrics`` tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from relay.amocrm.alarm import CredentialsAlarm
from relay.app.reconfigure import LastReload
from relay.delivery.ledger import Ledger
from relay.delivery.pacing import book_of
from relay.delivery.ports import Clock
from relay.delivery.store import Store
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.outbox import SIDES, Destination, QueueFigures
from relay.domain.pacing import Book
from relay.domain.session import Session, SessionState
from relay.web.health import ChannelHealth, Health, QueueHealth, ReloadHealth, moment
from relay.web.metrics import Metrics


class HealthReader:
    """Reads the relay's health from its parts."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        alarm: CredentialsAlarm,
        metrics: Metrics,
        sessions: Callable[[], Mapping[ChannelId, Session]],
        last_reload: Callable[[], LastReload],
    ) -> None:
        self.ready = False
        self.journal_writable = True
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._metrics = metrics
        self._sessions = sessions
        self._last_reload = last_reload

    async def read(self) -> Health:
        """The health of this moment; the gauges of the metrics are set by the way."""
        sessions, reload = self._sessions(), self._last_reload()
        owns = {session.own for session in sessions.values() if session.own is not None}
        figures, books = await self._store.query(
            lambda ledger: (_figures(ledger), _books(ledger, owns))
        )
        now = self._clock.now_ms()
        pacing = {own: pacing_words(book, now) for own, book in books.items()}
        health = Health(
            ready=self.ready,
            troubles=self._troubles(sessions),
            channels={
                id_: _channel(session, pacing.get(session.own) if session.own else None)
                for id_, session in sessions.items()
            },
            queues={side.value: self._queue(queue) for side, queue in figures.items()},
            reload=ReloadHealth(reload.at_ms, not reload.errors, reload.errors),
        )
        self._metrics.show(health)
        return health

    def _troubles(self, sessions: Mapping[ChannelId, Session]) -> tuple[str, ...]:
        troubles = [
            f"amoCRM refuses our {refusal.credential.value} credentials: {refusal.reason}"
            for refusal in self._alarm.standing
        ]
        if not self.journal_writable:
            troubles.append("the journal cannot be written")
        if not any(s.state is SessionState.CONNECTED for s in sessions.values()):
            troubles.append("no channel is connected")
        return tuple(troubles)

    def _queue(self, queue: QueueFigures) -> QueueHealth:
        age = 0 if queue.oldest_ms is None else max(0, self._clock.now_ms() - queue.oldest_ms)
        return QueueHealth(queue.waiting, age // 1000, queue.dead)


def _figures(ledger: Ledger) -> dict[Destination, QueueFigures]:
    return {side: ledger.figures(side) for side in SIDES}


def _books(ledger: Ledger, owns: Iterable[OwnNumber]) -> dict[OwnNumber, Book]:
    return {own: book_of(ledger, own) for own in owns}


def pacing_words(book: Book, now_ms: int) -> str | None:
    """What holds messages to people who never wrote; None if nothing does."""
    if book.closed(now_ms):
        until = moment(book.closed_until_ms)
        return f"WhatsApp takes no messages to people who never wrote; tried again at {until}"
    waiting = [at for _, at in book.turns if at > now_ms]
    if not waiting:
        return None
    count = f"{len(waiting)} to people who never wrote"
    return f"{count} waiting for their turn, the last at {moment(max(waiting))}"


def _channel(session: Session, pacing: str | None) -> ChannelHealth:
    connected = session.state is SessionState.CONNECTED
    return ChannelHealth(session.state.value, session.reason, session.since_ms, connected, pacing)
