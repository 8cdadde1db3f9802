"""What a manager is told of a message that failed: its status, and a word in the chat itself.

The word in the chat is for a number that is not on WhatsApp. It goes the way of messages into
amoCRM, in the order of the conversation, and nothing ever follows from what becomes of it.
"""

from __future__ import annotations

from relay.delivery.holding import incoming_lane, message_key
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import Cause, status_letter
from relay.domain.bodies import ErrorReply, StatusUpdate
from relay.domain.ids import CrmMessageId, WhatsAppMessageId, message_id
from relay.domain.message import Failure, Status
from relay.domain.outbox import Destination, Letter


def failure_letters(
    ledger: Ledger,
    message: CrmMessageId,
    failure: Failure,
    reason: str,
    cause: Cause,
    *,
    chat: Conversation | None = None,
) -> tuple[Letter, ...]:
    """The letters that tell of a failure, unless amoCRM was told something better.

    ``chat``: the conversation whose chat it was written in, if there is one.
    """
    if not ledger.told(message, Status.FAILED):
        return ()
    status = status_letter(StatusUpdate(message, Status.FAILED, failure, reason), cause)
    if chat is None or failure is not Failure.NO_SUCH_CLIENT or not _is_wanted(chat, cause):
        return (status,)
    return (status, _error_reply(chat, message, reason, cause))


def _is_wanted(chat: Conversation, cause: Cause) -> bool:
    """Nothing is written into the conversation of a listed number, not even by the relay."""
    settings = cause.settings
    return settings.error_replies and not settings.blacklist.lists(chat.client)


def _error_reply(chat: Conversation, failed: CrmMessageId, reason: str, cause: Cause) -> Letter:
    """Made of the failed message's id: however often it is told to have failed, it is one."""
    channel = cause.settings.channel_of(chat.own)
    body = ErrorReply(
        conversation=chat.id,
        id=message_id(chat.own, WhatsAppMessageId(f"error-{failed}")),
        own=chat.own,
        client=chat.client,
        sent_at_ms=cause.now_ms,
        text=f"{cause.settings.error_label} {reason}",
        crm_chat=None if chat.crm_bound else chat.crm_chat,
        crm_client=None if chat.crm_bound else chat.crm_client,
    )
    return Letter(
        key=message_key(body.id),
        lane=incoming_lane(chat.id),
        destination=Destination.AMOCRM,
        body=body,
        trace=cause.trace,
        channel=channel.id if channel else cause.channel,
        accepted_ms=cause.now_ms,
        expires_ms=cause.now_ms + cause.settings.give_up_amocrm_ms,
    )
