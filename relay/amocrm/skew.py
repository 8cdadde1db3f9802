"""Compares the host's clock with amoCRM's: a signature lives fifteen minutes, by theirs."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

import structlog

from relay.domain.retry import MINUTE, SECOND

TOLERATED_MS: Final = 2 * MINUTE

_log = structlog.get_logger()


class ClockSkew:
    """Says once that the clocks have parted, and once that they agree again."""

    def __init__(self) -> None:
        self.seconds = 0
        self._skewed = False
        self._last_date: str | None = None

    def compare(self, date: str | None, now_ms: int) -> None:
        """Look at the ``Date`` of an answer that has just come; a bad or missing one says nothing.

        The header has whole seconds, so one that was looked at already is passed over.
        """
        if date is None or date == self._last_date:
            return
        self._last_date = date
        try:
            theirs_ms = round(parsedate_to_datetime(date).timestamp() * SECOND)
        except (ValueError, TypeError, OverflowError):
            return
        self._judge(now_ms - theirs_ms)

    def _judge(self, ahead_ms: int) -> None:
        """``ahead_ms``: how far the host is ahead of amoCRM; negative if behind."""
        self.seconds = round(ahead_ms / SECOND)
        skewed = abs(ahead_ms) > TOLERATED_MS
        if skewed == self._skewed:
            return
        self._skewed = skewed
        if skewed:
            _log.warning("clock_skew", seconds=self.seconds)
        else:
            _log.info("clock_agrees", seconds=self.seconds)
