"""Tells everyone who looks on that there is something new, however slowly he reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Changes:
    """Each reader has one flag: a slow one misses steps in between, never the latest state."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Event] = set()

    @property
    def readers(self) -> int:
        """How many are looking on."""
        return len(self._readers)

    def changed(self) -> None:
        """There is something new."""
        for reader in self._readers:
            reader.set()

    @contextmanager
    def reader(self) -> Iterator[asyncio.Event]:
        """A flag, set at first and at every change; whoever waits on it clears it."""
        flag = asyncio.Event()
        flag.set()
        self._readers.add(flag)
        try:
            yield flag
        finally:
            self._readers.discard(flag)
