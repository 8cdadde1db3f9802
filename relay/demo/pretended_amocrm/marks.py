"""What is put on a chat or a message afterwards: delivery status, typing, reactions."""

from __future__ import annotations

from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.registry import Registry
from relay.demo.pretended_amocrm.state import Chat, DeliveryReport, JsonBody, Message, Typing

_MAY_FOLLOW: dict[int | None, tuple[int, ...]] = {
    None: (1, 2, -1),
    1: (1, 2),
    2: (2,),
    -1: (-1,),
}
"""Which status may follow which; the same again is a retry, everything else a step back."""

_TYPING_MS = 5000  # the documented default of duration_ms


class Marks:
    """Delivery statuses, typing and reactions of one account."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.account = registry.account

    def delivery_status(self, message_id: str, body: JsonBody) -> Message:
        """Write down a status; one that steps back is noted, and kept as it came.

        Raises Refusal 404 if `message_id` is not amojo's id of a message.
        """
        message = self.account.message_by_id.get(message_id)
        if message is None:
            detail = f"no message has the amojo id {message_id!r}"
            if message_id in self.account.message_by_msgid:
                detail = f"{message_id!r} is the integration's msgid, not amojo's id"
            raise Refusal(404, "MessageUnknown", detail)
        if body.get("msgid", message_id) != message_id:
            raise Refusal(400, "MsgidDiffers", "msgid in the body is not the one in the path")
        status: int = body["status_code"] if "status_code" in body else body["delivery_status"]
        if status not in _MAY_FOLLOW[message.status]:
            detail = f"{message.status} -> {status} of message {message_id}"
            self.registry.note("StatusSteppedBack", detail)
        report = DeliveryReport(
            status, self.registry.now_ms(), body.get("error_code"), body.get("error")
        )
        message.reports.append(report)
        return message

    def typing(self, body: JsonBody) -> Chat:
        """A client is typing. Raises Refusal if the chat is unknown."""
        chat = self._chat(body)
        until_ms = self.registry.now_ms() + body.get("duration_ms", _TYPING_MS)
        self.account.typings.append(Typing(chat.id, until_ms))
        return chat

    def react(self, body: JsonBody) -> Message:
        """Put a reaction on a message or take it away.

        Raises Refusal if chat or message is unknown, or ``ref_id`` is nobody's.
        """
        chat = self._chat(body)
        by_id, by_msgid = self.account.message_by_id, self.account.message_by_msgid
        message = by_id.get(body["id"]) if "id" in body else by_msgid.get(body["msgid"])
        if message is None or message.chat_id != chat.id:
            raise Refusal(404, "MessageUnknown", "no message of this chat has this id or msgid")
        who = self._reacting(body["user"])
        if body["type"] == "react":
            message.reactions[who] = body["emoji"]
        else:
            message.reactions.pop(who, None)
        return message

    def _reacting(self, user: JsonBody) -> str:
        ref_id = user.get("ref_id")
        if ref_id is None:
            return str(user["id"])
        if self.registry.employee(user) is None and ref_id not in self.account.people:
            raise Refusal(400, "UserUnknown", f"user.ref_id {ref_id!r} is nobody")
        return str(ref_id)

    def _chat(self, body: JsonBody) -> Chat:
        chat = self.account.chats.get(body.get("conversation_ref_id", ""))
        chat = chat or self.account.chat_by_client_id.get(body.get("conversation_id", ""))
        if chat is None:
            status = self.registry.quirks.unknown_chat_status
            raise Refusal(status, "ChatUnknown", "no chat has this id")
        return chat
