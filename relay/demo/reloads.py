"""What became of the last saving of the file, in the relay's own words."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_PLACE = re.compile(r"^.*?:(\d+):(\d+): (.*)$", re.DOTALL)
_PATIENCE_MS = 1_500  # then silence means that nothing changed


class Outcome(enum.StrEnum):
    """What the relay made of the file."""

    UNTOUCHED = "untouched"  # not saved since the start
    WAITING = "waiting"
    TAKEN = "taken"
    SAME = "same"  # read, and nothing in it had changed
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error of the file; lines and columns count from one."""

    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, when it came, and what changed or what is wrong."""

    outcome: Outcome
    at_ms: int
    changes: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


class Reloads:
    """Follows the relay's verdicts on the file."""

    def __init__(self, now_ms: Callable[[], int], changed: Callable[[], None]) -> None:
        self.verdict = Verdict(Outcome.UNTOUCHED, now_ms())
        self._now_ms = now_ms
        self._changed = changed

    def saved(self) -> None:
        """The file was saved; the relay will look at it."""
        self._rule(Verdict(Outcome.WAITING, self._now_ms()))

    def taken(self, changes: Iterable[str]) -> None:
        """The relay took it."""
        self._rule(Verdict(Outcome.TAKEN, self._now_ms(), changes=tuple(changes)))

    def refused(self, errors: Iterable[str]) -> None:
        """The relay refused it."""
        mistakes = tuple(map(mistake, errors))
        self._rule(Verdict(Outcome.REFUSED, self._now_ms(), mistakes=mistakes))

    def started(self) -> None:
        """The relay was started, so it has taken the file as it stands."""
        if self.verdict.outcome in (Outcome.WAITING, Outcome.REFUSED):
            self.taken(())

    def look(self, health: dict[str, Any]) -> None:
        """The relay says nothing about a file in which nothing is new; its health tells."""
        waited = self._now_ms() - self.verdict.at_ms
        if self.verdict.outcome is not Outcome.WAITING or waited < _PATIENCE_MS:
            return
        reload = health["reload"]
        if datetime.fromisoformat(reload["at"]).timestamp() < self.verdict.at_ms // 1000:
            return
        if reload["ok"]:
            self._rule(Verdict(Outcome.SAME, self._now_ms()))
        else:
            self.refused(reload["errors"])

    def _rule(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._changed()


def mistake(error: str) -> Mistake:
    """An error of the form ``FILE:LINE:COLUMN: path: what is wrong``."""
    found = _PLACE.match(error)
    if found is None:
        return Mistake(1, 1, error)
    return Mistake(int(found[1]), int(found[2]), found[3])
