"""What happens to a message afterwards: it is written anew, taken back, reacted to, quoted.

All of it goes into the lane of the message itself, so amoCRM hears of it after the message. What
speaks of a message that amoCRM never got is a message of its own, if it says anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from relay.delivery.awaiting import fetch_key, may_change
from relay.delivery.holding import incoming_lane, message_key, withdraw
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import Cause, Sorted
from relay.delivery.people import meet
from relay.delivery.proof import reply_key
from relay.domain.bodies import (
    Body,
    Known,
    NewMessage,
    Quote,
    Reaction,
    Reply,
    Revision,
)
from relay.domain.contents import VIEW_ONCE, Content, Media, Text, Unsupported
from relay.domain.ids import (
    ConversationId,
    CrmChatId,
    CrmMessageId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
    message_id,
)
from relay.domain.incoming import Ignored, Incoming, decide_incoming
from relay.domain.marks import mark
from relay.domain.message import (
    Deleted,
    Edited,
    Origin,
    Reacted,
    Received,
)
from relay.domain.outbox import Destination, Entry, EntryState, Letter
from relay.domain.texts import DELETED

Afterwards = Edited | Deleted | Reacted

UNKNOWN_TARGET = "unknown_target"
"""The rule that drops what speaks of a message that never came this way."""

AMENDED = "amended"
"""The rule for what was put into the message itself, which still waits for its file."""

_MOST_WORDINGS = 100
"""More of one message are not looked for; WhatsApp lets a message be edited for minutes only."""


@dataclass(frozen=True, slots=True)
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
        return _anew(self.wordings[-1].content, first) if self.wordings else first

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
        entry = ledger.entry_of(_revision_key(message, len(found) + 1))
        if entry is None or not isinstance(entry.letter.body, Revision):
            break
        found.append(entry.letter.body)
    return tuple(found)


def _revision_key(message: MessageId, number: int) -> str:
    return f"revision:{message}:{number}"


def quoted(ledger: Ledger, message: Received) -> Known | None:
    """What a message answers, as amoCRM knows it; None if amoCRM does not."""
    target = find_target(ledger, message.own, message.quotes) if message.quotes else None
    return target.known if target is not None and target.told else None


def as_message(ledger: Ledger, event: Afterwards) -> Received | None:
    """An edit as a message of its own, where amoCRM never got the first wording.

    If that is still to come, it is the same message, and nothing comes twice.
    """
    if not isinstance(event, Edited):
        return None
    target = find_target(ledger, event.own, event.target)
    if target is not None and target.told:
        return None
    id_, stand_in = (event.target, event.instead_of) if target is None else (event.id, None)
    return Received(
        event.own, event.client, id_, event.at_ms, event.origin, event.content, instead_of=stand_in
    )


def revision_letters(ledger: Ledger, event: Afterwards, cause: Cause) -> Sorted:
    """What amoCRM is to be told of it."""
    target = find_target(ledger, event.own, event.target)
    if target is None and isinstance(event, Deleted) and event.instead_of is not None:
        target = find_target(ledger, event.own, event.instead_of)  # it was never readable
    if target is None or not target.told:
        return Sorted(ignored=(UNKNOWN_TARGET,))
    match event:
        case Edited() if target.content == Unsupported(VIEW_ONCE):
            return Sorted(ignored=(VIEW_ONCE,))  # its words were to be seen once, too
        case Edited():
            return _revised(ledger, event, target, cause, _anew(event.content, target.content))
        case Deleted():
            return _deleted(ledger, event, target, cause)
        case Reacted():
            return _reacted(ledger, event, target, cause)


def _anew(content: Content, before: Content | None) -> Content:
    """Of a medium only its words can be edited: the file is the one that came with it."""
    if not isinstance(content, Media):
        return content
    if isinstance(before, Media):
        return replace(before, caption=content.caption)
    return content if content.at is not None or not content.caption else Text(content.caption)


def _deleted(ledger: Ledger, deletion: Deleted, target: Target, cause: Cause) -> Sorted:
    """A message that was taken back stays as it was, opened by a mark that says so.

    amoCRM has no way to delete. If the file says so, only the mark stays.
    """
    content = target.content
    if content is None or not cause.settings.keep_deleted or isinstance(content, Unsupported):
        content = Text("")
        if target.entry is not None:
            _fetch_no_more(ledger, target.entry, cause.now_ms)
    marks = (mark(DELETED[cause.settings.language]),)
    return _revised(ledger, deletion, target, cause, content, marks=marks)


def _reacted(ledger: Ledger, reaction: Reacted, target: Target, cause: Cause) -> Sorted:
    decided = _decide(ledger, reaction, Text(reaction.emoji), cause)
    if isinstance(decided, Ignored):
        return Sorted(ignored=(decided.rule,))
    conversation, _ = decided
    chat, unbound = _chat_of(ledger, target, conversation)
    body = Reaction(
        chat, target.known, conversation.client, reaction.origin, reaction.emoji, unbound
    )
    return Sorted((_letter(body, f"reaction:{_own_id(reaction)}", target, conversation, cause),))


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


def _revised(
    ledger: Ledger,
    event: Edited | Deleted,
    target: Target,
    cause: Cause,
    content: Content,
    *,
    marks: tuple[str, ...] = (),
) -> Sorted:
    if not target.may_change(event.origin):
        return Sorted(ignored=("not_its_writer",))
    decided = _decide(ledger, event, content, cause)
    if isinstance(decided, Ignored):
        return Sorted(ignored=(decided.rule,))
    conversation, message = decided
    # What was written in amoCRM is shown there in its writer's name, whoever has changed it since.
    opening = marks if target.ours else (*marks, *message.marks)
    shown = message.message.content
    if target.entry is not None and _amended(ledger, target.entry, shown, opening, cause.now_ms):
        return Sorted(ignored=(AMENDED,))
    chat, unbound = _chat_of(ledger, target, conversation)
    body = Revision(chat, target.known, shown, event.at_ms, opening, unbound)
    if body in target.wordings:
        return Sorted(ignored=("duplicate",))
    key = _revision_key(target.known.ours, len(target.wordings) + 1)
    return Sorted((_letter(body, key, target, conversation, cause),))


def _amended(
    ledger: Ledger, entry: Entry, content: Content, marks: tuple[str, ...], now_ms: int
) -> bool:
    """Whether the message still waits for its file, and has been written anew right there.

    A revision of its own would say that there is no file, and say it after the file has come.
    """
    body = entry.letter.body
    if not isinstance(body, NewMessage) or not isinstance(content, Media):
        return False
    if not may_change(entry, now_ms):
        return False
    letter = replace(entry.letter, body=replace(body, content=content, marks=marks))
    ledger.amend(entry.id, letter, entry.due_ms)
    return True


def _fetch_no_more(ledger: Ledger, entry: Entry, now_ms: int) -> None:
    """A file that nobody is to see need not be had; its message waits for it no longer."""
    fetch = ledger.entry_of(fetch_key(entry.letter))
    if fetch is None:
        return
    withdraw(ledger, fetch, now_ms, "its message was taken back")
    body = entry.letter.body
    if isinstance(body, NewMessage) and may_change(entry, now_ms):
        taken = replace(body, content=Text(""))
        ledger.amend(entry.id, replace(entry.letter, body=taken), now_ms)


def _decide(
    ledger: Ledger, event: Afterwards, content: Content, cause: Cause
) -> tuple[Conversation, Incoming] | Ignored:
    """The rules for messages hold for what becomes of messages."""
    message = Received(event.own, event.client, event.target, event.at_ms, event.origin, content)
    conversation, _ = meet(ledger, message, cause.now_ms)
    message = replace(message, client=conversation.client)
    verdict = decide_incoming(Incoming(message, cause.channel), cause.settings)
    return verdict if isinstance(verdict, Ignored) else (conversation, verdict)


def _chat_of(
    ledger: Ledger, target: Target, conversation: Conversation
) -> tuple[ConversationId, CrmChatId | None]:
    """In which chat amoCRM has the message, and amoCRM's own id of one that it began."""
    known = ledger.conversation(target.chat) if target.chat else None
    known = known or conversation
    return known.id, None if known.crm_bound else known.crm_chat


def _own_id(event: Afterwards) -> str:
    return message_id(event.own, event.id)


def _letter(
    body: Body, key: str, target: Target, conversation: Conversation, cause: Cause
) -> Letter:
    waiting = target.entry is not None and target.entry.letter.destination is Destination.AMOCRM
    lane = target.entry.letter.lane if target.entry and waiting else incoming_lane(conversation.id)
    return Letter(
        key=key,
        lane=lane,
        destination=Destination.AMOCRM,
        body=body,
        trace=cause.trace,
        channel=cause.channel,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_amocrm_ms,
    )
