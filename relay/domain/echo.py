"""Recognises what the relay itself put into amoCRM when amoCRM calls because of it.

amoCRM says that it sends no hook for what appears in the name of the channel's bot. If it does all
the same, the client must not get his own conversation back. Mostly the message is known by the id
that amoCRM gave it; this is for a hook that comes before that id has. The law: a hook is the echo
of a message of ours only if *all* of this holds,

* it is in the conversation of a message that we put there and whose id we do not know yet;
* it says what that message says. What was typed on the phone opens with its mark there, which
  nobody in amoCRM writes, and an error reply with its label: so words alone are enough;
* it is in the bot's name, or, in whoever else's, of the very millisecond that we told.

So a manager's message is never one: not if he writes the same words, for they have no mark; not if
he copies the mark as well, for then he is not the bot, and his clock is not the phone's.
"""

from __future__ import annotations

from typing import Final

from relay.domain.bodies import ErrorReply, NewMessage
from relay.domain.contents import Contacts, Content, Location, Media, Text, Unsupported
from relay.domain.ids import CrmPersonId
from relay.domain.marks import marked
from relay.domain.message import Origin, Written

_WORDLESS: Final = {"location": Location, "contact": Contacts}
"""Kinds of amoCRM's that a hook may name without a word."""


def echoes(written: Written, ours: NewMessage | ErrorReply, bot: CrmPersonId) -> bool:
    """Whether the hook is about that message of ours, of the same conversation."""
    if written.author != bot and written.written_at_ms != ours.sent_at_ms:
        return False
    said = _words(written.content)
    if isinstance(ours, ErrorReply):
        return said == _plain(ours.text)
    if ours.origin is not Origin.PHONE or not ours.marks:
        return False
    if isinstance(ours.content, Text) and ours.content.text.strip():
        return said == _plain(marked(ours.content.text, ours.marks))
    return _stands_for(written.content, said, ours)


def _stands_for(content: Content, said: str, ours: NewMessage) -> bool:
    """Other kinds may be told in words of amoCRM's room: the marks come first, his own words last.

    A place or a card comes back by its kind alone.
    """
    if isinstance(content, Unsupported):
        return isinstance(ours.content, _WORDLESS.get(content.what, ()))
    opening, own = _plain(marked("", ours.marks)), _plain(_own_words(ours.content))
    return said.startswith(opening) and said.endswith(own)


def _own_words(content: Content) -> str:
    match content:
        case Media(caption=words) | Location(text=words):
            return words
        case _:
            return ""


def _words(content: Content) -> str:
    match content:
        case Text(words) | Media(caption=words):
            return _plain(words)
        case _:
            return ""


def _plain(words: str) -> str:
    """Blanks aside, which amoCRM may trim."""
    return " ".join(words.split())
