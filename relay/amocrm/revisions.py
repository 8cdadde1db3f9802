"""What became of messages, in amoCRM's words: edits, reactions, quotes. No I/O.

Source: amoCRM's developer documentation, "Chats API: methods" (edit_message, react, reply_to).
"""

from __future__ import annotations

from relay.amocrm.contents import Fields
from relay.amocrm.protocol import Request, edit_message, react
from relay.domain.bodies import Known, Reaction, Revision
from relay.domain.message import Origin


class NoBotError(ValueError):
    """A deed of the phone's, and no bot in whose name amoCRM could show it."""


def name_of(message: Known) -> Fields:
    """The message by one id: both together would give amoCRM's message a new id of ours."""
    return {"id": message.crm} if message.crm is not None else {"msgid": message.ours}


def _chat(said: Revision | Reaction) -> Fields:
    """The chat by one id: ours is not known of one that amoCRM began and nobody has answered.

    UNCONFIRMED: that ``edit_message`` takes ``conversation_ref_id``; only for ``react`` is it said.
    UNCONFIRMED too: whether amoCRM finds a message under its conversation's other name once two
    conversations of one client have become one, so the name it came in by is the one used.
    """
    if said.crm_chat is not None:
        return {"conversation_ref_id": said.crm_chat}
    return {"conversation_id": said.conversation}


def quote(message: Known | None) -> Fields:
    """What is added to a message that answers another one."""
    return {} if message is None else {"reply_to": {"message": name_of(message)}}


def revision_request(revision: Revision, scope_id: str, shown: Fields) -> Request:
    """The request that writes a message anew; ``shown`` is its content in amoCRM's words."""
    payload: Fields = {
        "timestamp": revision.at_ms // 1000,
        "msec_timestamp": revision.at_ms,
        **name_of(revision.message),
        **_chat(revision),
        "message": shown,
    }
    return edit_message(scope_id, payload)


def reaction_request(
    reaction: Reaction, scope_id: str, *, client_id: str, bot_id: str | None
) -> Request:
    """The request that puts an emoji on a message, or takes it off again.

    Raises:
        NoBotError: the phone has reacted, and there is no bot in whose name it could appear.
    """
    if reaction.origin is Origin.PHONE and bot_id is None:
        raise NoBotError("a reaction from the phone needs chats.bot_id, and there is none")
    user = {"id": client_id} if reaction.origin is Origin.CLIENT else {"ref_id": bot_id}
    payload: Fields = {
        **_chat(reaction),
        **name_of(reaction.message),
        "user": user,
        "type": "react" if reaction.emoji else "unreact",
    }
    return react(scope_id, payload | ({"emoji": reaction.emoji} if reaction.emoji else {}))
