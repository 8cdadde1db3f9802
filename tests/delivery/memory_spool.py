"""A spool in memory, with a size that tests choose."""

from __future__ import annotations

from collections.abc import Sequence

from relay.delivery.store import Spooled


class MemorySpool:
    """Implements :class:`relay.delivery.ports.Spool`; what it holds is what outlives a process."""

    def __init__(self, size: int = 1 << 20) -> None:
        self.kept: list[Spooled] = []
        self._size = size

    def fits(self, source: str, payload: bytes) -> bool:
        return len(source) + len(payload) <= self._size

    def put(self, source: str, payload: bytes) -> bool:
        held = sum(len(s.source) + len(s.payload) for s in self.kept)
        if held + len(source) + len(payload) > self._size:
            return False
        self.kept.append(Spooled(source, payload))
        return True

    def waiting(self, limit: int) -> Sequence[Spooled]:
        return self.kept[:limit]

    def take_away(self, count: int) -> None:
        del self.kept[:count]
