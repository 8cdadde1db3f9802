"""How often one user may call: a bucket for each, in memory, for as many users as there are."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from relay.domain.ids import UserId
from relay.domain.retry import SECOND

_MOST_USERS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """So much at once, and so much again in each second."""

    at_once: float
    a_second: float


@dataclass(slots=True)
class _Bucket:
    left: float
    at_ms: int


class Limits:
    """The buckets of all users; those that have not called for longest are forgotten first."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._buckets: OrderedDict[UserId, _Bucket] = OrderedDict()

    def take(self, user: UserId, now_ms: int, cost: float = 1.0) -> int | None:
        """None if he may; else after how many seconds he may. A refused call costs nothing."""
        rules = self._allowance
        bucket = self._buckets.pop(user, None) or _Bucket(rules.at_once, now_ms)
        self._buckets[user] = bucket
        while len(self._buckets) > _MOST_USERS:
            self._buckets.popitem(last=False)
        gained = max(0, now_ms - bucket.at_ms) / SECOND * rules.a_second
        bucket.left, bucket.at_ms = min(rules.at_once, bucket.left + gained), now_ms
        if bucket.left >= cost:
            bucket.left -= cost
            return None
        missing = min(cost, rules.at_once) - bucket.left
        return max(1, -int(-missing // rules.a_second))
