"""When to try again, and when to give up."""

from __future__ import annotations

from relay.domain.values import value

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_LADDER = (1, 2, 5, 10, 30, 60, 120, 300)


@value
class RetryPolicy:
    """A ladder of delays: seconds at first, minutes later, the last step for ever after.

    ``jitter`` spreads each delay over ±that share, so that lanes do not come back in step.
    """

    ladder_ms: tuple[int, ...] = tuple(step * SECOND for step in _LADDER)
    jitter: float = 0.2

    def delay_ms(self, attempts: int, chance: float) -> int:
        """The wait after the given number of attempts (1 or more); ``chance`` is in [0, 1)."""
        step = self.ladder_ms[min(attempts, len(self.ladder_ms)) - 1]
        return round(step * (1 + self.jitter * (2 * chance - 1)))

    @property
    def longest_ms(self) -> int:
        """No wait is longer: a due time further away than this means that the clock jumped."""
        return round(self.ladder_ms[-1] * (1 + self.jitter))
