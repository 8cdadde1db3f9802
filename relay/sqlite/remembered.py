"""What the writing connection has lately read or written, so that it need not be read again.

Nobody else changes the database but an administrator's shell, and that is noticed (see
:meth:`relay.sqlite.group_commit.GroupCommit.run`). Whenever anything is undone everything is
forgotten, so what was never kept is never remembered.
"""

from __future__ import annotations

from typing import TypeVar

from relay.delivery.ledger import Conversation
from relay.domain.ids import ClientAddress, ConversationId, OwnNumber
from relay.domain.outbox import Entry, EntryId
from relay.domain.phone_check import PhoneCheck

K = TypeVar("K")
V = TypeVar("V")

PEOPLE = 2_048
ENTRIES = 256  # at about 2 kB
UNASKED = 1_024


class Remembered(dict[K, V]):
    """Values by their keys, so many at most, of which the oldest gives way; of 0 none are kept."""

    __slots__ = ("_most",)

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: K, value: V) -> V:
        """Remember the value; returns it."""
        if len(self) >= self._most and key not in self:
            if not self._most:
                return value
            del self[next(iter(self))]
        self[key] = value
        return value


class RememberedEntries:
    """Entries by their ids, as they were put, and at most amended since.

    Pictures come in bursts, and each is wanted again when its turn to be asked for has come: so
    those have a room of their own, which is empty at other times.
    """

    __slots__ = ("_others", "_unasked")

    def __init__(self) -> None:
        self._unasked: Remembered[EntryId, Entry] = Remembered(UNASKED)
        self._others: Remembered[EntryId, Entry] = Remembered(ENTRIES)

    def get(self, entry: EntryId) -> Entry | None:
        """The entry; None if it is not remembered."""
        return self._others.get(entry) or self._unasked.get(entry)

    def keep(self, entry: Entry) -> Entry:
        """Remember it as it is now; returns it."""
        self.pop(entry.id)
        room = self._others if entry.letter.unasked_ms is None else self._unasked
        return room.keep(entry.id, entry)

    def pop(self, entry: EntryId) -> Entry | None:
        """Forget it; as it was, if it was remembered."""
        return self._others.pop(entry, None) or self._unasked.pop(entry, None)

    def clear(self) -> None:
        """Forget them all."""
        self._others.clear()
        self._unasked.clear()


class Memory:
    """What is remembered of the people and of the outbox; None: known not to be there.

    ``early``: whether there are receipts that came before their link; ``held``: whether rows of the
    journal are held anywhere; ``posted``: whether anything of our own was posted. None: not known.
    ``lasting``: whether these may be remembered; only the one who writes sees them change.
    """

    __slots__ = (
        "aliases",
        "checks",
        "conversations",
        "early",
        "entries",
        "held",
        "lasting",
        "posted",
    )

    def __init__(self, people: int = PEOPLE, entries: RememberedEntries | None = None) -> None:
        self.aliases: Remembered[tuple[OwnNumber, ClientAddress], ConversationId | None]
        self.aliases = Remembered(people)
        self.conversations: Remembered[ConversationId, Conversation | None] = Remembered(people)
        self.checks: Remembered[str, PhoneCheck | None] = Remembered(people)
        self.entries = RememberedEntries() if entries is None else entries
        self.early: bool | None = None
        self.held: bool | None = None
        self.posted: bool | None = None
        self.lasting = people > 0

    def of_reader(self) -> Memory:
        """For the connection that reads, and must not see what is not committed.

        It finds an entry in the database first, so of those it may know all that is known here.
        """
        return Memory(0, self.entries)

    def forget(self) -> None:
        """Something was undone, or done by somebody else."""
        self.aliases.clear()
        self.conversations.clear()
        self.checks.clear()
        self.entries.clear()
        self.early = None
        self.held = None
        self.posted = None
