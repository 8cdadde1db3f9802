"""Our messages and statuses in amoCRM's words. No I/O.

Ids: the conversation's id is ours as it stands; a client's id is ``wa-ADDRESS`` whichever of our
numbers he writes to, because he is one person with one contact; the owner of a number who writes
on the handset, and the relay itself, are ``phone-OWN``, in the name of the channel's bot.
"""

from __future__ import annotations

from typing import Final

from relay.amocrm.contents import Link, shown
from relay.amocrm.placeholders import NOT_DELIVERED
from relay.amocrm.protocol import Request, delivery_status, new_message
from relay.amocrm.revisions import NoBotError, quote
from relay.domain.bodies import ErrorReply, NewMessage, StatusUpdate
from relay.domain.contents import Text, private_words
from relay.domain.ids import OwnNumber, source_id
from relay.domain.message import (
    Client,
    Failure,
    Origin,
    Status,
)
from relay.domain.settings import Language

STATUS_CODES: Final = {Status.DELIVERED: 1, Status.READ: 2, Status.FAILED: -1}
"""``SENT`` is where a message begins: amoCRM has no code for it."""

NAMELESS: Final = "WhatsApp"

Fields = dict[str, object]


def message_request(
    message: NewMessage | ErrorReply,
    scope_id: str,
    *,
    language: Language,
    bot_id: str | None,
    title: str,
    link: Link,
    avatar: str | None = None,
) -> Request:
    """The request that puts a message into its chat; the same bytes for the same arguments.

    ``link`` makes the public link of a kept file of its name. ``avatar`` is the name of the one
    with the client's picture.

    Raises:
        NoBotError: a message from the phone, and there is no bot in whose name it could appear.
    """
    client = _client(message.client)
    if avatar is not None:
        client["avatar"] = link(avatar)
    payload: Fields = {
        "timestamp": message.sent_at_ms // 1000,
        "msec_timestamp": message.sent_at_ms,
        "msgid": message.id,
        "conversation_id": message.conversation,
        "source": {"external_id": source_id(message.own)},
    }
    _bind(payload, client, message)
    payload |= _parties(message, client, bot_id, title)
    if isinstance(message, ErrorReply):
        payload["message"] = shown(Text(message.text), language, link=link)
    else:
        payload["message"] = shown(message.content, language, message.marks, link=link)
        payload |= quote(message.quotes)
    return new_message(scope_id, payload)


def status_request(update: StatusUpdate, scope_id: str, language: Language) -> Request | None:
    """The request that tells a status; None for ``SENT``, which amoCRM assumes anyway."""
    code = STATUS_CODES.get(update.status)
    if code is None:
        return None
    if update.status is not Status.FAILED:
        return delivery_status(scope_id, update.message, code)
    failure = update.failure or Failure.OTHER
    reason = update.reason or NOT_DELIVERED[language]
    return delivery_status(scope_id, update.message, code, int(failure), reason)


def participant_id(client: Client) -> str:
    """Our id of a client in amoCRM."""
    return f"wa-{client.address}"


def private_texts(message: NewMessage | ErrorReply) -> tuple[str, ...]:
    """What an answer may quote and a log may not show."""
    phone = message.client.phone or ""
    words = private_words(message.content) if isinstance(message, NewMessage) else (message.text,)
    return (*words, message.client.name or "", phone.lstrip("+"), message.client.address)


def _client(client: Client) -> Fields:
    name = (client.name or "").strip() or client.phone or NAMELESS
    fields: Fields = {"id": participant_id(client), "name": name}
    if client.phone is not None:
        fields["profile"] = {"phone": client.phone}
    return fields


def _parties(
    message: NewMessage | ErrorReply, client: Fields, bot_id: str | None, title: str
) -> Fields:
    """Whose message it appears as. Only a client's own brings a lead and a notification along."""
    if isinstance(message, NewMessage) and message.origin is Origin.CLIENT:
        return {"silent": message.silent, "sender": client}
    if bot_id is not None:
        return {"silent": True, "sender": _bot(message.own, bot_id, title), "receiver": client}
    if isinstance(message, NewMessage):
        raise NoBotError("a message sent from the phone needs chats.bot_id, and there is none")
    return {"silent": True, "sender": client}


def _bind(payload: Fields, client: Fields, message: NewMessage | ErrorReply) -> None:
    """Name amoCRM's ids of a chat that amoCRM began ("write first"), so that it learns ours.

    Both or neither: half a pair would make a second contact. UNCONFIRMED: whether a message from
    the phone binds too; without the ids it would open a second chat, so they go with it.
    """
    if message.crm_chat and message.crm_client:
        payload["conversation_ref_id"] = message.crm_chat
        client["ref_id"] = message.crm_client


def _bot(own: OwnNumber, bot_id: str, title: str) -> Fields:
    """The channel's bot: whom amoCRM takes for an author that is not known, and for the relay."""
    return {"id": f"phone-{own}", "name": title, "ref_id": bot_id}
