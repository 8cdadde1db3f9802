"""Where delivery keeps things: the store, which runs works on the ledger whole, and the spool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from relay.delivery.ledger import Ledger
from relay.domain.values import value

T = TypeVar("T")


class StoreRefusedError(Exception):
    """The disk (or its guard) refused a write: nothing of it was kept. Trying again may help."""


class Store(Protocol):
    """Where the ledger lives. One process owns it."""

    async def transact(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` in a transaction and return its result once it is durable.

        Works run in the order of the calls, many of them under one commit (one fsync). A work
        that raises is undone alone, and its exception comes out here. A work may be run again
        when what it did was undone: it must do nothing but through the ledger.

        Raises:
            StoreRefusedError: the disk refused, or too many works are waiting already.
        """
        ...

    def transact_from_thread(self, work: Callable[[Ledger], T]) -> T:
        """The same for a foreign thread: it waits until the result is durable."""
        ...

    async def query(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work``, which only reads, without waiting for any disk."""
        ...


@value
class Spooled:
    """What a foreign thread handed over, on its way into the journal."""

    source: str
    payload: bytes


class Spool(Protocol):
    """Keeps what is not in the journal yet against the death of this process, in order.

    Any thread may use it; no method waits for a disk. What was not taken away before the process
    ended is waiting again in the next one.
    """

    def fits(self, source: str, payload: bytes) -> bool:
        """Whether it would find a place if the spool were empty."""
        ...

    def put(self, source: str, payload: bytes) -> bool:
        """Keep it behind all others; False if there is no room now."""
        ...

    def waiting(self, limit: int) -> Sequence[Spooled]:
        """The oldest, in order."""
        ...

    def take_away(self, count: int) -> None:
        """That many of the oldest, at least one, are in the journal."""
        ...
