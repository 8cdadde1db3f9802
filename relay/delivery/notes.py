"""What became of rows of the journal, to be told once it is durable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from relay.delivery.letters import Held, Sorted
from relay.domain.ids import CrmPersonId
from relay.domain.outbox import NO_SEQ, JournalRow, Letter, Seq
from relay.domain.values import value


@value
class Note:
    """What became of one row, to be logged once it is durable."""

    row: JournalRow
    result: Sorted | None
    error: str | None = None

    @property
    def letters(self) -> tuple[Letter, ...]:
        """The letters that follow from it."""
        return self.result.letters if self.result is not None else ()

    @property
    def plain(self) -> bool:
        """Whether there is nothing to be written beside its row but that it was read."""
        return self.result is not None and not self.result.ignored and self.result.held is None

    @property
    def held(self) -> Held | None:
        """Where it waits, if nothing can be made of it yet."""
        return self.result.held if self.result is not None else None


@value
class Looked:
    """How far a look at what is held has come; ``places`` are those where something still is."""

    seq: Seq = NO_SEQ
    places: frozenset[str] = frozenset()
    next_ms: int | None = None
    authors: frozenset[CrmPersonId] = frozenset()
    notes: tuple[Note, ...] = ()

    def ahead(self, places: Collection[str]) -> bool:
        """Whether something older is still held in one of those places."""
        return not self.places.isdisjoint(places)

    def plus(self, note: Note) -> Looked:
        """One row more."""
        looked, held = replace(self, seq=note.row.seq, notes=(*self.notes, note)), note.held
        if held is None:
            return looked
        return replace(
            looked,
            places=self.places.union(held.places),
            next_ms=min(held.until_ms, self.next_ms or held.until_ms),
            authors=self.authors | ({held.author} if held.author is not None else set()),
        )


@value
class StillHeld:
    """What is held after a look at it: until when the first, and whose authors are unknown."""

    next_ms: int | None = None
    authors: frozenset[CrmPersonId] = frozenset()
