"""New and edited messages: what the account does with a body whose shape is right."""

from __future__ import annotations

from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.registry import Registry
from relay.demo.pretended_amocrm.state import Author, Chat, JsonBody, Message, Repeat


class Intake:
    """Takes messages into the account's chats, each ``msgid`` once."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.account = registry.account

    def new_message(self, payload: JsonBody) -> Message:
        """Keep a new message.

        Raises Refusal for a ``msgid`` seen before (if so configured), for an author or a quoted
        message nobody knows, and for a sender and receiver whose meaning is not documented.
        """
        earlier = self.account.message_by_msgid.get(payload["msgid"])
        if earlier is not None:
            return self._repeated(earlier, payload)
        author = self._employee_writing(payload)
        client = payload["receiver"] if author else payload["sender"]
        quoted = self._quoted_before(payload)
        chat = self.registry.chat_for(payload, client, outgoing=author is not None)
        if author is None:
            author = self._client_writing(client)
        elif "receiver" in payload:
            self._check_receiver(chat, client)
        if author.kind == "bot":
            self._check_bot(payload)
        message = self._message(payload, chat, author)
        message.quoted_id = quoted.id if quoted else None
        self.account.keep(message)
        if not message.silent and (message.direction == "in" or self._outgoing_makes_lead):
            self.registry.make_cards(chat)
        return message

    def edit_message(self, payload: JsonBody) -> Message:
        """Change a message's content; giving both ids gives the message our ``msgid``.

        Raises Refusal if the message is unknown, or is not in the chat named.
        """
        if "id" in payload:
            message = self.account.message_by_id.get(payload["id"])
        else:
            message = self.account.message_by_msgid.get(payload["msgid"])
        if message is None:
            raise Refusal(400, "MessageUnknown", "no message has this id or msgid")
        chat = self.account.chats[message.chat_id]
        named = (payload.get("conversation_id"), payload.get("conversation_ref_id"))
        if named[0] != chat.client_id and named[1] != chat.id:
            raise Refusal(400, "EditedElsewhere", "the message is in another chat")
        if "msgid" in payload:
            message.msgid = payload["msgid"]
            self.account.message_by_msgid[payload["msgid"]] = message
        content = payload["message"]
        message.earlier_texts.append(message.text)
        message.content = {**message.content, **content}
        message.kind = content["type"]
        message.text = content.get("text", message.text)
        return message

    @property
    def _outgoing_makes_lead(self) -> bool:
        return self.registry.quirks.outgoing_makes_lead

    def _repeated(self, earlier: Message, payload: JsonBody) -> Message:
        status = self.registry.quirks.repeated_msgid_status
        repeat = Repeat(payload["msgid"], earlier.id, self.registry.now_ms(), status)
        self.account.repeats.append(repeat)
        if earlier.content != payload["message"] and not earlier.earlier_texts:
            detail = f"msgid {repeat.msgid!r} came again with other content"
            self.registry.note("MsgidReused", detail)
        if status == 200:
            return earlier
        raise Refusal(status, "MsgidRepeated", f"msgid {repeat.msgid!r} is message {earlier.id}")

    def _employee_writing(self, payload: JsonBody) -> Author | None:
        """The employee or bot of an outgoing message; None if a client writes."""
        author = self.registry.employee(payload["sender"])
        if ("receiver" in payload) == (author is not None):
            return author
        if author:
            detail = "sender is an employee or the bot, but there is no receiver"
        else:
            detail = "there is a receiver, but sender.ref_id is no employee and not the bot"
        raise Refusal(400, "DirectionUndocumented", detail)

    def _client_writing(self, client: JsonBody) -> Author:
        person = self.registry.person_for(client)
        return Author("client", person.id, person.name)

    def _check_receiver(self, chat: Chat, client: JsonBody) -> None:
        person = self.account.people[chat.person_id]
        given = client.get("id", client.get("ref_id"))
        if given not in (person.client_id, person.id):
            detail = f"receiver {given!r} is not the client of chat {chat.id}"
            raise Refusal(400, "NotInChat", detail)

    def _check_bot(self, payload: JsonBody) -> None:
        """What nobody wrote in the CRM must make no noise there, and name the number it is of."""
        if not payload.get("silent"):
            self.registry.note("LoudBot", "a message in the bot's name is not silent")
        if "source" not in payload:
            self.registry.note("NoSource", "a message in the bot's name names no source")

    def _quoted_before(self, payload: JsonBody) -> Message | None:
        quoted = payload.get("reply_to", {}).get("message", {})
        if "id" in quoted:
            found = self.account.message_by_id.get(quoted["id"])
        elif "msgid" in quoted:
            found = self.account.message_by_msgid.get(quoted["msgid"])
        else:
            return None
        if found is None:
            raise Refusal(400, "QuotedUnknown", "the quoted message is unknown")
        chat = self.account.chats[found.chat_id]
        here = (payload["conversation_id"], payload.get("conversation_ref_id"))
        if here[0] != chat.client_id and here[1] != chat.id:
            raise Refusal(400, "QuotedElsewhere", "the quoted message is in another chat")
        return found

    def _message(self, payload: JsonBody, chat: Chat, author: Author) -> Message:
        content = payload["message"]
        return Message(
            id=self.registry.new_id(),
            msgid=payload["msgid"],
            chat_id=chat.id,
            direction="in" if author.kind == "client" else "out",
            author=author,
            kind=content["type"],
            text=content.get("text", ""),
            timestamp_ms=payload["msec_timestamp"],
            accepted_ms=self.registry.now_ms(),
            content=content,
            silent=payload.get("silent", False),
            source=payload.get("source", {}).get("external_id"),
        )
