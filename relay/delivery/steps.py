"""One event per step of a message's life, always with the same keys.

No text of a message and no full number is ever among them.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from relay.domain.bodies import Fetch
from relay.domain.outbox import Destination, JournalRow, Letter

_log = structlog.stdlib.get_logger("relay.delivery")


class Direction(enum.StrEnum):
    """The ``direction`` of a step: ``in`` from the client to amoCRM, ``out`` the other way."""

    IN = "in"
    OUT = "out"


class StepEvent(enum.StrEnum):
    """What happened to the message."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    UNREADABLE = "unreadable"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    DEAD = "dead"


class Step(NamedTuple):  # not a dataclass: several are made a message, and this is cheaper
    """One step. ``elapsed_ms`` counts from the moment the message was accepted.

    ``kind`` is that of the letter's body; ``detail`` is the rule, or the error;
    ``next_try_ms`` is how long from now until the next attempt.
    """

    event: StepEvent
    trace: str
    channel: str | None
    direction: Direction
    attempt: int = 0
    elapsed_ms: int = 0
    kind: str | None = None
    detail: str | None = None
    next_try_ms: int | None = None


_LEVELS = {
    StepEvent.ACCEPTED: logging.INFO,
    StepEvent.IGNORED: logging.INFO,
    StepEvent.UNREADABLE: logging.ERROR,
    StepEvent.DELIVERED: logging.INFO,
    StepEvent.DEFERRED: logging.WARNING,
    StepEvent.DEAD: logging.ERROR,
}

_DETAIL = {StepEvent.IGNORED: "rule"}


class Steps:
    """Where steps are told: the log, and whoever counts or shows them."""

    def __init__(self, observers: Sequence[Callable[[Step], None]] = ()) -> None:
        self._observers = tuple(observers)

    def accepted(self, letter: Letter, now_ms: int) -> None:
        """The letter is on disk."""
        self._tell(_of_letter(StepEvent.ACCEPTED, letter, 0, now_ms))

    def asked(self, letter: Letter, now_ms: int) -> None:
        """Its file is to be fetched: told as of a letter that fetches, though there is none yet."""
        self._tell(_of_letter(StepEvent.ACCEPTED, letter, 0, now_ms)._replace(kind="fetch"))

    def ignored(self, row: JournalRow, destination: Destination, rule: str) -> None:
        """Something came in that nothing is made of; ``rule`` says why."""
        self._tell(_of_row(StepEvent.IGNORED, row, destination, rule))

    def held(self, row: JournalRow, destination: Destination, reason: str) -> None:
        """What follows from it cannot be said yet."""
        self._tell(_of_row(StepEvent.DEFERRED, row, destination, reason))

    def unreadable(self, row: JournalRow, destination: Destination, error: str) -> None:
        """Something came in that could not be understood; it is kept in the journal."""
        self._tell(_of_row(StepEvent.UNREADABLE, row, destination, error))

    def delivered(self, letter: Letter, attempt: int, now_ms: int) -> None:
        """The other side has it."""
        self._tell(_of_letter(StepEvent.DELIVERED, letter, attempt, now_ms))

    def deferred(
        self, letter: Letter, attempt: int, now_ms: int, error: str, *, next_try_ms: int
    ) -> None:
        """Not this time."""
        self._tell(
            _of_letter(StepEvent.DEFERRED, letter, attempt, now_ms, error, next_try_ms=next_try_ms)
        )

    def dead(self, letter: Letter, attempt: int, now_ms: int, error: str) -> None:
        """Given up; it stays in the journal."""
        self._tell(_of_letter(StepEvent.DEAD, letter, attempt, now_ms, error))

    def _tell(self, step: Step) -> None:
        keys: dict[str, object] = {
            "trace": step.trace,
            "channel": step.channel,
            "direction": str(step.direction),
            "attempt": step.attempt,
            "elapsed_ms": step.elapsed_ms,
        }
        if step.kind is not None:
            keys["kind"] = step.kind
        if step.detail is not None:
            keys[_DETAIL.get(step.event, "error")] = step.detail
        if step.next_try_ms is not None:
            keys["next_try_ms"] = step.next_try_ms
        _log.log(_LEVELS[step.event], str(step.event), **keys)
        for observe in self._observers:
            observe(step)


def ends_sending(step: Step) -> bool:
    """Whether it is known now what became of something sent to WhatsApp."""
    return step.direction is Direction.OUT and step.event in (StepEvent.DELIVERED, StepEvent.DEAD)


def direction_of(destination: Destination) -> Direction:
    """The direction of what goes to that destination."""
    return Direction.IN if destination is Destination.AMOCRM else Direction.OUT


def _direction_of(letter: Letter) -> Direction:
    body = letter.body
    return direction_of(
        Destination(body.towards) if isinstance(body, Fetch) else letter.destination
    )


def _of_letter(
    event: StepEvent,
    letter: Letter,
    attempt: int,
    now_ms: int,
    detail: str | None = None,
    *,
    next_try_ms: int | None = None,
) -> Step:
    return Step(
        event=event,
        trace=letter.trace,
        channel=letter.channel,
        direction=_direction_of(letter),
        attempt=attempt,
        elapsed_ms=max(0, now_ms - letter.accepted_ms),
        kind=letter.body.kind,
        detail=detail,
        next_try_ms=next_try_ms,
    )


def _of_row(event: StepEvent, row: JournalRow, destination: Destination, detail: str) -> Step:
    return Step(
        event=event,
        trace=row.trace,
        channel=row.source.partition("/")[2] or None,
        direction=direction_of(destination),
        detail=detail,
    )
