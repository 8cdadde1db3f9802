"""The message that something is said about afterwards: what is still known of it.

By its ids, by its letter while that is kept, and by the letters that told how it was written anew.
"""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.holding import message_key
from relay.delivery.ledger import Ledger
from relay.delivery.proof import reply_key
from relay.domain.bodies import Known, NewMessage, Quote, Reply, Revision
from relay.domain.contents import Content, Media, Text
from relay.domain.ids import (
    ConversationId,
    CrmMessageId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
    message_id,
)
from relay.domain.message import Origin, Received
from relay.domain.outbox import Entry, EntryState
from relay.domain.values import value

UNKNOWN_TARGET = "unknown_target"
"""The rule that drops what speaks of a message that never came this way."""

_MOST_WORDINGS = 100
"""More of one message are not looked for; WhatsApp lets a message be edited for minutes only."""


@value
class Target:
    """A message that something is said about afterwards: its ids, and its letter if it is kept.

    ``ours``: the relay sent it for somebody in amoCRM. ``wordings``: how it was written anew.
    """

    known: Known
    entry: Entry | None
    ours: bool
    wordings: tuple[Revision, ...] = ()

    @property
    def told(self) -> bool:
        """Whether amoCRM has it, or will have it before anything that is put into its lane now."""
        dead = self.entry is not None and self.entry.state is EntryState.DEAD
        return self.known.crm is not None or (self.entry is not None and not dead)

    def may_change(self, origin: Origin) -> bool:
        """Whether it was written on that side: WhatsApp's clients do not check that for us."""
        body = self.entry.letter.body if self.entry else None
        writer = body.origin if isinstance(body, NewMessage) else Origin.PHONE
        return body is None or writer is origin

    @property
    def content(self) -> Content | None:
        """What it said last, if that is still kept."""
        body = self.entry.letter.body if self.entry else None
        first = body.content if isinstance(body, NewMessage | Reply) else None
        return anew(self.wordings[-1].content, first) if self.wordings else first

    @property
    def chat(self) -> ConversationId | None:
        """The conversation in whose chat amoCRM has it: it stays there if two become one."""
        match self.entry.letter.body if self.entry else None:
            case NewMessage() as body:
                return body.conversation
            case Reply() as body:
                return body.chat or body.conversation
        return None


def find_target(ledger: Ledger, own: OwnNumber, id_: WhatsAppMessageId) -> Target | None:
    """The message with that id on WhatsApp; None if it never came this way."""
    link, ours = ledger.linked(own, id_), message_id(own, id_)
    entry = ledger.entry_of(message_key(ours))
    sent = ledger.entry_of(reply_key(link.crm_id)) if link and entry is None else None
    if link is None and entry is None:
        return None
    known = Known(ours, link.crm_id if link else None)
    return Target(known, entry or sent, sent is not None, _wordings(ledger, ours))


def _wordings(ledger: Ledger, message: MessageId) -> tuple[Revision, ...]:
    """How a message was written anew, oldest first."""
    found: list[Revision] = []
    while len(found) < _MOST_WORDINGS:
        entry = ledger.entry_of(revision_key(message, len(found) + 1))
        if entry is None or not isinstance(entry.letter.body, Revision):
            break
        found.append(entry.letter.body)
    return tuple(found)


def revision_key(message: MessageId, number: int) -> str:
    """The key of the letter that tells how a message was written anew the so-many-th time."""
    return f"revision:{message}:{number}"


def quoted(ledger: Ledger, message: Received) -> Known | None:
    """What a message answers, as amoCRM knows it; None if amoCRM does not."""
    target = find_target(ledger, message.own, message.quotes) if message.quotes else None
    return target.known if target is not None and target.told else None


def quote_of(ledger: Ledger, crm_id: CrmMessageId) -> tuple[OwnNumber, Quote] | None:
    """A message on WhatsApp by amoCRM's id of it, and the number of ours it was seen by."""
    link = ledger.link_of(crm_id)
    if link is None:
        return None
    target = find_target(ledger, link.own, link.whatsapp_id)
    body = target.entry.letter.body if target and target.entry else None
    by_client = isinstance(body, NewMessage) and body.origin is Origin.CLIENT
    if body is None:  # forgotten by housekeeping: most of what is answered is a client's
        by_client = True
    content = target.content if target else None
    return link.own, Quote(link.whatsapp_id, by_client, content or Text(""))


def anew(content: Content, before: Content | None) -> Content:
    """What an edit makes of what said ``before``: of a medium only the words, the file stays."""
    if not isinstance(content, Media):
        return content
    if isinstance(before, Media):
        return replace(before, caption=content.caption)
    return content if content.at is not None or not content.caption else Text(content.caption)
