"""A message that holds a medium waits, for a bounded time, until its bytes are in our own store.

The message is put into its lane, held, with a mark: nobody has asked for its bytes yet. They are
asked for at once, whether the message's own destination can be reached or not. Mostly they come,
and the message is amended and becomes due. If not, a letter that fetches them takes over from the
mark, in a lane of its own, until it has ended, well or not. If the message's patience ends first,
it goes into amoCRM without its medium, which follows as a message of its own when it comes after
all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from relay.delivery.ledger import Ledger
from relay.domain.bodies import (
    Body,
    Fetch,
    NewMessage,
    Reply,
)
from relay.domain.contents import Content, Loss, Lost, Media, Remote
from relay.domain.ids import WhatsAppMessageId, message_id
from relay.domain.outbox import (
    Destination,
    Entry,
    EntryId,
    EntryState,
    Fetched,
    Letter,
    Missed,
    Outcome,
)
from relay.domain.retry import MINUTE, SECOND

PATIENCE_MS = 5 * MINUTE
"""For so long a message waits for its medium, and its lane with it.

It is shorter than the longest wait of a retry: beyond that the dispatcher takes a wait for a jump
of the clock.
"""

OUTGOING_MS = PATIENCE_MS - 20 * SECOND
"""For so long a manager's file is tried to be had: without it there is no message to send."""


def awaiting(letter: Letter) -> Letter:
    """The letter as it is; or, if its medium is elsewhere, held, its medium to be asked for."""
    if not awaits_medium(letter.body):
        return letter
    unasked_ms = letter.accepted_ms + letter.hold_ms
    return letter.held(max(PATIENCE_MS, letter.hold_ms), unasked_ms)


def first_tries(ledger: Ledger, limit: int, busy: Collection[EntryId]) -> list[Entry]:
    """What fetches media for which nobody has asked yet, the oldest first; none of ``busy``.

    No letter is put for that before it has failed: each has the id of the entry that waits.
    """
    found = list[Entry]()
    for entry in ledger.unasked(limit, busy):
        fetch = fetch_letter(entry.letter)
        if fetch is not None:
            found.append(Entry(entry.id, fetch, EntryState.PENDING, 0, fetch.accepted_ms))
    return found


def is_unasked(entry: Entry) -> bool:
    """Whether nobody has asked for its medium yet, or this is what asks first."""
    return entry.letter.unasked_ms is not None


def fetch_letter(letter: Letter) -> Letter | None:
    """What fetches the medium of this letter, if it waits for one that was never asked for."""
    content = _content(letter.body)
    if letter.unasked_ms is None or not isinstance(content, Media):
        return None
    return Letter(
        key=fetch_key(letter),
        lane=fetch_key(letter),
        destination=Destination.MEDIA,
        body=Fetch(content, letter.key, _towards(letter), letter.unasked_ms),
        trace=letter.trace,
        channel=letter.channel,
        accepted_ms=letter.accepted_ms,
        expires_ms=_expires_ms(letter),
        unasked_ms=letter.unasked_ms,
    )


def fetch_key(letter: Letter) -> str:
    """The key of the letter that fetches the medium of this one."""
    return f"fetch:{letter.key}"


def awaits_medium(body: Body) -> bool:
    """Whether it holds a medium that is not here yet."""
    content = _content(body)
    return isinstance(content, Media) and isinstance(content.at, Remote)


def result_of(fetch: Fetch, outcome: Outcome) -> Media:
    """The medium after the fetching has ended."""
    match outcome:
        case Fetched(media):
            return media
        case Missed(_, lost):
            return replace(fetch.media, at=lost)
        case _:
            return replace(fetch.media, at=Lost(Loss.LATE))


def may_change(entry: Entry, now_ms: int) -> bool:
    """Whether the message is still held, so that surely no attempt at it is under way."""
    held = entry.state is EntryState.PENDING and entry.due_ms > now_ms
    return held and awaits_medium(entry.letter.body)


def hand_on(ledger: Ledger, entry: Entry, fetch: Fetch, found: Media, now_ms: int) -> None:
    """Put what was found into the message that waits for it; it may go now.

    But a stranger's number is still waited for as long as it would have been without a medium.
    """
    body = entry.letter.body
    if not isinstance(body, NewMessage | Reply) or not isinstance(body.content, Media):
        raise TypeError(f"a {body.kind} does not wait for a medium")
    stranger = isinstance(body, NewMessage) and body.client.phone is None
    due_ms = max(now_ms, fetch.not_before_ms) if stranger else now_ms
    caption = body.content.caption  # it may have been edited meanwhile
    content = found if found.caption == caption else replace(found, caption=caption)
    letter = entry.letter.amended(entry.letter.lane, replace(body, content=content), None)
    ledger.amend(entry.id, letter, due_ms)


def late_letters(entry: Entry, found: Media) -> tuple[Letter, ...]:
    """The message went into amoCRM without its medium: what became of that follows it."""
    body = entry.letter.body
    withdrawn = entry.state is EntryState.DELIVERED and entry.error is not None
    if not isinstance(body, NewMessage) or entry.state is EntryState.DEAD or withdrawn:
        return ()
    id_ = message_id(body.own, WhatsAppMessageId(f"{body.whatsapp_id}-file"))
    late = replace(body, id=id_, content=replace(found, caption=""))
    return (replace(entry.letter, key=f"message:{id_}", body=late, unasked_ms=None),)


def _content(body: Body) -> Content | None:
    return body.content if isinstance(body, NewMessage | Reply) else None


def _towards(letter: Letter) -> Literal["amocrm", "whatsapp"]:
    return "amocrm" if letter.destination is Destination.AMOCRM else "whatsapp"


def _expires_ms(letter: Letter) -> int:
    """Into amoCRM a medium is tried as long as a message; to a client it goes soon or never."""
    if letter.destination is Destination.AMOCRM:
        return letter.expires_ms
    return min(letter.expires_ms, letter.accepted_ms + OUTGOING_MS)
