"""What one transaction may do with the outbox: letters in their lanes, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from relay.domain.ids import ChannelId
from relay.domain.outbox import (
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
    QueueFigures,
)


class Outbox(Protocol):
    """The outbox's part of a :class:`~relay.delivery.ledger.Ledger`."""

    def put(self, letter: Letter) -> EntryId | None:
        """Add a letter at the end of its lane, due after its hold; None if its key was ever seen.

        The hold is not kept beyond that: an entry's letter has none.
        """
        ...

    def amend(self, entry: EntryId, letter: Letter, due_ms: int) -> None:
        """Change the lane and the body of an unfinished entry, and whether its file is to be asked
        for; its age keeps its place.

        Raises:
            ValueError: it is finished.
        """
        ...

    def unasked(self, limit: int, busy: Collection[EntryId]) -> Sequence[Entry]:
        """Entries whose files nobody has asked for yet, whatever became of them; none of ``busy``.

        Those that might have gone first come first.
        """
        ...

    def ask(self, entry: EntryId) -> Entry | None:
        """Somebody has asked for the file of this entry; None, and nothing happens, if before too.

        The entry, in which nothing else has changed.
        """
        ...

    def replace(self, entry: EntryId, letter: Letter) -> bool:
        """Another letter takes the place of a pending one in its lane, as if it had been put then.

        False, and nothing happens, if its key was ever seen. The key of the one before it is known
        no more.

        Raises:
            ValueError: that one is not pending, or in another lane.
        """
        ...

    def due(
        self,
        destination: Destination,
        now_ms: int,
        limit: int,
        busy: Collection[EntryId],
        horizon_ms: int,
    ) -> Sequence[Entry]:
        """Heads of lanes whose time has come, earliest due first, none of ``busy``.

        A head is the oldest unfinished entry of its lane. Its time has come when its due time or
        its expiry is reached, or when it is due more than ``horizon_ms`` ahead: no wait is that
        long, so the clock must have jumped.
        """
        ...

    def next_due_ms(self, destination: Destination, busy: Collection[EntryId]) -> int | None:
        """The earliest due or expiry time of any head but ``busy``; None if there is none."""
        ...

    def begin(self, entry: EntryId) -> None:
        """PENDING → BEGUN: an attempt that must not be repeated blindly is about to be made."""
        ...

    def settle(
        self,
        entry: EntryId,
        state: EntryState,
        *,
        attempts: int,
        due_ms: int,
        now_ms: int,
        error: str | None = None,
    ) -> None:
        """Write what became of an attempt. A finished entry gives its lane to the next.

        Raises:
            ValueError: the transition is not in ``relay.domain.outbox.TRANSITIONS``.
        """
        ...

    def begun(self, destination: Destination) -> Sequence[Entry]:
        """Entries in BEGUN: right after opening, those whose outcome nobody knows."""
        ...

    def hasten(self, destination: Destination, channel: ChannelId | None, now_ms: int) -> int:
        """Heads put off with an error become due now (of one channel, or all); how many.

        What has been held since it was put stays held.
        """
        ...

    def shift(self, delta_ms: int) -> None:
        """The clock jumped by that much: due, accepted and expiry times of the unfinished move,
        and the times at which held rows came.
        """
        ...

    def figures(self, destination: Destination) -> QueueFigures:
        """The length of a queue, rows held on their way to it included; cheap whatever is kept."""
        ...

    def entry(self, entry: EntryId) -> Entry | None:
        """One entry by its id."""
        ...

    def entry_of(self, key: str) -> Entry | None:
        """One entry by its letter's key."""
        ...

    def waiting(self, destination: Destination, lane: str) -> Sequence[Entry]:
        """The unfinished entries of a lane, oldest first."""
        ...

    def dead(self, limit: int) -> Sequence[Entry]:
        """The latest dead entries, newest first."""
        ...
