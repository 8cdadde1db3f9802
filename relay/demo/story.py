"""The life of each message as the relay told it, the latest messages only."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from relay.demo.journal import Looked

_MOST_TALES = 80
_MOST_STEPS = 40


@dataclass(slots=True)
class Tale:
    """One trace: what it is about, and its steps as they were told, each with its ``at_ms``."""

    trace: str
    began_ms: int
    direction: str
    channel: str | None
    looked: Looked = field(default_factory=Looked)
    steps: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0


class Story:
    """Collects steps by trace; ``look`` finds what a trace is about, in a thread."""

    def __init__(
        self,
        look: Callable[[str], Looked],
        now_ms: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self.tales: OrderedDict[str, Tale] = OrderedDict()
        self._look = look
        self._now_ms = now_ms
        self._changed = changed
        self._unknown: asyncio.Queue[Tale] = asyncio.Queue(_MOST_TALES)

    def add(self, step: dict[str, Any]) -> None:
        """A step was told."""
        now = self._now_ms()
        tale = self.tales.get(step["trace"])
        if tale is None:
            tale = Tale(step["trace"], now, step["direction"], step.get("channel"))
            self.tales[tale.trace] = tale
            self._wonder(tale)
        tale.channel = tale.channel or step.get("channel")
        tale.steps.append({**step, "at_ms": now})
        if len(tale.steps) > _MOST_STEPS:
            del tale.steps[1]  # the first says when it began
            tale.dropped += 1
        while len(self.tales) > _MOST_TALES:
            self.tales.popitem(last=False)
        self._changed()

    async def run(self) -> None:
        """Find out what the traces are about, for ever."""
        while True:
            tale = await self._unknown.get()
            tale.looked = await asyncio.to_thread(self._look, tale.trace)
            self._changed()

    def _wonder(self, tale: Tale) -> None:
        if not self._unknown.full():
            self._unknown.put_nowait(tale)
