"""How much REST takes: so many requests a second, then 429, and at last 403 for everything.

Source: amoCRM developer documentation, "API v4": limits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from relay.demo.pretended_amocrm.refusal import Refusal

_SECOND_MS = 1_000


class Limits:
    """Counts requests. All figures may be changed at run time.

    `rps` requests are taken within any one second, None for no limit. After `patience` answers of
    429 in a row it blocks: everything is 403, until `unblock`. UNCONFIRMED: after how many a block
    comes, and what ends it; here nothing but an administrator does.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.rps: int | None = 7
        self.patience = 10
        self.blocked = False
        self._now_ms = now_ms
        self._taken_ms: deque[int] = deque()
        self._refused = 0

    def unblock(self) -> None:
        """An administrator has talked to amoCRM's support."""
        self.blocked, self._refused = False, 0

    def count(self) -> None:
        """One more request. Raises Refusal if it is one too many."""
        if self.blocked:
            raise Refusal(403, "Blocked", "blocked for too many requests")
        if self.rps is None:
            return
        now_ms = self._now_ms()
        while self._taken_ms and self._taken_ms[0] <= now_ms - _SECOND_MS:
            self._taken_ms.popleft()
        if len(self._taken_ms) >= self.rps:
            self._refused += 1
            self.blocked = self._refused >= self.patience
            raise Refusal(429, "TooManyRequests", f"more than {self.rps} within a second")
        self._refused = 0
        self._taken_ms.append(now_ms)
