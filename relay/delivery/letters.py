"""What letters are made of: what they follow from, their lanes, and those that tell a status.

Keys are made of ids that never change, so the same event arriving twice makes the same letter.
Lanes: a conversation and direction for messages, one message for its statuses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from relay.delivery.proof import status_key
from relay.domain.bodies import StatusUpdate
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmPersonId
from relay.domain.outbox import Destination, JournalRow, Letter
from relay.domain.settings import Settings
from relay.domain.values import value


@value
class Cause:
    """What letters follow from: the message they belong to, the settings, and the time.

    ``came``: the row of the journal, if it is one.
    """

    trace: str
    channel: ChannelId | None
    settings: Settings
    now_ms: int
    received_ms: int
    came: JournalRow | None = None

    @classmethod
    def row(cls, row: JournalRow, settings: Settings, now_ms: int) -> Cause:
        """A row of the journal."""
        channel = ChannelId(row.source.partition("/")[2]) or None
        return cls(row.trace, channel, settings, now_ms, row.received_ms, row)

    @classmethod
    def letter(cls, letter: Letter, settings: Settings, now_ms: int) -> Cause:
        """A letter that has just been attempted."""
        return cls(letter.trace, letter.channel, settings, now_ms, now_ms)


@value
class Held:
    """It cannot be said yet what follows; until when it may wait, and where.

    Whatever comes after it in one of its ``places`` waits behind it. ``author``: who wrote it is
    not known. ``reason`` is for the log.
    """

    places: tuple[str, ...]
    until_ms: int
    reason: str
    author: CrmPersonId | None = None

    @property
    def place(self) -> str:
        """The place that is written down."""
        return self.places[0]


Ahead = Callable[[Collection[str]], bool]
"""Whether something older waits in one of these places, so that what follows must wait too."""

BEHIND = "waits behind an earlier message"
"""The reason of what follows something older that is held."""


@value
class Composing:
    """Somebody in amoCRM is writing to that client now."""

    channel: ChannelId
    to: ClientAddress


@value
class Sorted:
    """What follows from a journal row: letters, and the rules that kept the rest out.

    ``freed``: letters to WhatsApp that waited may go now. ``held``: nothing follows yet.
    ``placed``: letters that have taken the place of others in their lanes.
    """

    letters: tuple[Letter, ...] = ()
    ignored: tuple[str, ...] = ()
    freed: bool = False
    held: Held | None = None
    typing: tuple[Composing, ...] = ()
    placed: tuple[Letter, ...] = ()

    @classmethod
    def nothing(cls) -> Sorted:
        """Nothing yet."""
        return cls()

    def plus(self, other: Sorted) -> Sorted:
        """Both."""
        return Sorted(
            self.letters + other.letters,
            self.ignored + other.ignored,
            self.freed or other.freed,
            self.held or other.held,
            self.typing + other.typing,
            self.placed + other.placed,
        )


def reply_lane(conversation: ConversationId) -> str:
    """The lane of a conversation's messages to WhatsApp."""
    return f"out:{conversation}"


def status_letter(update: StatusUpdate, cause: Cause) -> Letter:
    """A status on its way to amoCRM, in the lane of its message."""
    return Letter(
        key=status_key(update.message, update.status),
        lane=f"status:{update.message}",
        destination=Destination.AMOCRM,
        body=update,
        trace=cause.trace,
        channel=cause.channel,
        accepted_ms=cause.now_ms,
        expires_ms=cause.now_ms + cause.settings.give_up_amocrm_ms,
    )
