"""The hooks amoCRM sends, as JSON values.

Source: amoCRM developer documentation, "Chats API webhooks", versions 2 and 1.
"""

from __future__ import annotations

import json
from typing import Literal

from relay.demo.pretended_amocrm.state import Account, Chat, JsonBody, Message, Person

_EMPTY = {"markup": None, "tag": "", "media": "", "thumbnail": "", "file_name": "", "file_size": 0}
"""What stands in a message hook where there is nothing to say, as captured hooks show it."""

_TYPING_FOR_MS = 5000


class HookBodies:
    """Writes hooks about one account's chats. `form` is that of typing and reaction hooks."""

    def __init__(self, account: Account, form: Literal["example", "table"]) -> None:
        self.account = account
        self.form = form

    def message(self, message: Message, now_ms: int) -> bytes:
        """A message hook, in the version the connection asked for."""
        connection = self.account.connection
        if connection is not None and connection.hook_api_version == "v1":
            return self._encoded(self._flat(message))
        chat = self.account.chats[message.chat_id]
        body: dict[str, object] = {
            "receiver": self._receiver(chat),
            "sender": {"id": message.author.id},
            "conversation": _conversation(chat),
            "timestamp": message.timestamp_ms // 1000,
            "msec_timestamp": message.timestamp_ms,
            "message": {"id": message.id, **_content(message)},
        }
        source = message.source or chat.source
        if source:
            body["source"] = {"external_id": source}
        return self._encoded({"message": body}, now_ms)

    def typing(self, user_id: str, chat: Chat, now_ms: int) -> bytes:
        """An employee is typing."""
        until = (now_ms + _TYPING_FOR_MS) // 1000
        typing: dict[str, object] = {"conversation": _conversation(chat), "expired_at": until}
        return self._encoded(self._action("typing", typing, user_id), now_ms)

    def reaction(self, user_id: str, message: Message, emoji: str | None, now_ms: int) -> bytes:
        """An employee put `emoji` on a message, or took it away (None)."""
        chat = self.account.chats[message.chat_id]
        reaction: dict[str, object] = {
            "conversation": _conversation(chat),
            "type": "unreact" if emoji is None else "react",
        }
        if emoji is not None:
            reaction["emoji"] = emoji
        if self.form == "example":
            reaction["msgid"] = message.id
        else:
            reaction["message"] = self._reacted(message, chat)
        return self._encoded(self._action("reaction", reaction, user_id), now_ms)

    def _action(self, name: str, body: JsonBody, user_id: str) -> dict[str, object]:
        user = {"id": user_id}
        if self.form == "table" and name == "typing":
            return {"action": {"user": user, name: body}}
        return {"action": {name: {"user": user, **body}}}

    def _reacted(self, message: Message, chat: Chat) -> dict[str, object]:
        shown: dict[str, object] = {
            "id": message.id,
            "sender": {"id": message.author.id},
            "receiver": {"id": chat.person_id},
            "timestamp": message.timestamp_ms // 1000,
            "msec_timestamp": message.timestamp_ms,
        }
        return {**shown, "client_id": message.msgid} if message.msgid else shown

    def _receiver(self, chat: Chat) -> dict[str, object]:
        person: Person = self.account.people[chat.person_id]
        shown: dict[str, object] = {
            "id": person.id, "phone": person.phone.lstrip("+"), "email": person.email,
        }  # fmt: skip
        # a chat that began with "write first" names no id of ours until it is bound
        if chat.client_id is not None and person.client_id is not None:
            shown["client_id"] = person.client_id
        return shown

    def _flat(self, message: Message) -> dict[str, object]:
        chat = self.account.chats[message.chat_id]
        return {
            "receiver": self.account.people[chat.person_id].client_id,
            "conversation_id": chat.client_id,
            "timestamp": message.timestamp_ms // 1000,
            "msec_timestamp": message.timestamp_ms,
            **{k: v for k, v in _content(message).items() if k not in ("markup", "tag")},
        }

    def _encoded(self, body: JsonBody, now_ms: int | None = None) -> bytes:
        whole: dict[str, object] = {"account_id": self.account.amojo_id}
        if now_ms is not None:
            whole["time"] = now_ms // 1000
        return json.dumps({**whole, **body}, ensure_ascii=False, separators=(",", ":")).encode()


def _conversation(chat: Chat) -> dict[str, str]:
    return {"id": chat.id, **({"client_id": chat.client_id} if chat.client_id else {})}


def _content(message: Message) -> dict[str, object]:
    return {"type": message.kind, "text": message.text, **_EMPTY, **message.content}
