"""One log event per step of a message's life, always with the same keys.

No text of a message and no full number is ever among them.
"""

from __future__ import annotations

import enum

import structlog

from relay.domain.outbox import Destination, Letter

_log = structlog.stdlib.get_logger("relay.delivery")


class Direction(enum.StrEnum):
    """The ``direction`` of a log line: ``in`` from the client to amoCRM, ``out`` the other way."""

    IN = "in"
    OUT = "out"


def direction_of(destination: Destination) -> Direction:
    """The direction of what goes to that destination."""
    return Direction.IN if destination is Destination.AMOCRM else Direction.OUT


def accepted(letter: Letter, now_ms: int) -> None:
    """The letter is on disk."""
    _log.info("accepted", **_keys(letter, 0, now_ms), kind=letter.body.kind)


def ignored(trace: str, source: str, destination: Destination, rule: str) -> None:
    """Something came in that nothing is made of; ``rule`` says why."""
    channel = source.partition("/")[2] or None
    _log.info(
        "ignored",
        trace=trace,
        channel=channel,
        direction=direction_of(destination).value,
        attempt=0,
        elapsed_ms=0,
        rule=rule,
    )


def unreadable(trace: str, source: str, destination: Destination, error: str) -> None:
    """Something came in that could not be understood; it is kept in the journal."""
    _log.error(
        "unreadable",
        trace=trace,
        channel=source.partition("/")[2] or None,
        direction=direction_of(destination).value,
        attempt=0,
        elapsed_ms=0,
        error=error,
    )


def delivered(letter: Letter, attempt: int, now_ms: int) -> None:
    """The other side has it."""
    _log.info("delivered", **_keys(letter, attempt, now_ms), kind=letter.body.kind)


def deferred(letter: Letter, attempt: int, now_ms: int, error: str, next_try_ms: int) -> None:
    """Not this time; ``next_try_ms`` is how long from now until the next attempt."""
    keys = _keys(letter, attempt, now_ms)
    _log.warning("deferred", **keys, kind=letter.body.kind, error=error, next_try_ms=next_try_ms)


def dead(letter: Letter, attempt: int, now_ms: int, error: str) -> None:
    """Given up; it stays in the journal."""
    _log.error("dead", **_keys(letter, attempt, now_ms), kind=letter.body.kind, error=error)


def _keys(letter: Letter, attempt: int, now_ms: int) -> dict[str, str | int | None]:
    return {
        "trace": letter.trace,
        "channel": letter.channel,
        "direction": direction_of(letter.destination).value,
        "attempt": attempt,
        "elapsed_ms": max(0, now_ms - letter.accepted_ms),
    }
