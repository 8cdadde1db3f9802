"""What people and robots do inside the CRM: write, write first, type, react.

Each act changes the account and sends its hook; the act returns when the hook has its answer, or
is lost.
"""

from __future__ import annotations

from relay.demo.pretended_amocrm.hook_bodies import HookBodies
from relay.demo.pretended_amocrm.hook_sender import HookSender
from relay.demo.pretended_amocrm.registry import Registry
from relay.demo.pretended_amocrm.state import (
    Author,
    Chat,
    Contact,
    Hook,
    JsonBody,
    Message,
    Person,
    User,
)

Employee = User | int


class Desk:
    """The CRM's own side of the chats."""

    def __init__(self, registry: Registry, sender: HookSender, robot_id: str) -> None:
        self.registry = registry
        self.account = registry.account
        self.sender = sender
        self.robot = Author("robot", robot_id, "Salesbot")
        self.bodies = HookBodies(registry.account, registry.quirks.action_form)

    async def write(
        self, chat_id: str, user: Employee, text: str, *, content: JsonBody | None = None
    ) -> Message:
        """An employee writes into a chat, named by either side's id.

        `content` adds to the message object of the hook or replaces parts of it: ``type``,
        ``media``, ``markup`` ... Raises KeyError for an unknown chat or user.
        """
        return await self._say(self.account.chat(chat_id), self._author(user), text, content)

    async def write_as_robot(
        self, chat_id: str, text: str, *, content: JsonBody | None = None
    ) -> Message:
        """A Salesbot writes into a chat: a sender that is no user."""
        return await self._say(self.account.chat(chat_id), self.robot, text, content)

    async def write_first(
        self, phone: str, user: Employee | None, text: str, *, source: str | None = None
    ) -> Message:
        """Begin a conversation with a number as it stands in a card; by a robot if no `user`.

        A card is made if no contact has this number. The chat has no id of the integration yet.
        """
        contact = self._contact(phone)
        chat = self._chat_with(contact) or self._new_chat(contact, phone, source)
        author = self.robot if user is None else self._author(user)
        return await self._say(chat, author, text, None)

    async def typing(self, chat_id: str, user: Employee) -> Hook:
        """An employee is typing in a chat."""
        chat, author = self.account.chat(chat_id), self._author(user)
        body = self.bodies.typing(author.id, chat, self.registry.now_ms())
        return await self.sender.deliver(self.sender.prepare(body))

    async def reaction(self, message_id: str, user: Employee, emoji: str | None) -> Hook:
        """An employee puts `emoji` on a message (amojo's id), or takes it away with None."""
        message, author = self.account.message_by_id[message_id], self._author(user)
        if emoji is None:
            message.reactions.pop(author.id, None)
        else:
            message.reactions[author.id] = emoji
        body = self.bodies.reaction(author.id, message, emoji, self.registry.now_ms())
        return await self.sender.deliver(self.sender.prepare(body))

    async def raw_hook(self, body: bytes, signature: str | None) -> Hook:
        """Send any bytes with any signature, or with none."""
        return await self.sender.deliver(self.sender.prepare_raw(body, signature))

    async def echo(self, message: Message) -> Hook:
        """Send the hook of a message that the integration itself imported."""
        return await self._send_hook_of(message)

    async def _say(
        self, chat: Chat, author: Author, text: str, content: JsonBody | None
    ) -> Message:
        now_ms = self.registry.now_ms()
        message = Message(
            id=self.registry.new_id(), msgid=None, chat_id=chat.id, direction="out",
            author=author, kind=str((content or {}).get("type", "text")), text=text,
            timestamp_ms=now_ms, accepted_ms=now_ms, content=content or {}, imported=False,
        )  # fmt: skip
        self.account.keep(message)
        await self._send_hook_of(message)
        return message

    async def _send_hook_of(self, message: Message) -> Hook:
        message.hook = self.sender.prepare(self.bodies.message(message, self.registry.now_ms()))
        return await self.sender.deliver(message.hook)

    def _author(self, user: Employee) -> Author:
        known = user if isinstance(user, User) else self.account.user(user)
        if known.amojo_id is None:
            raise KeyError(f"user {known.id} has never been in the chats")
        return Author("user", known.amojo_id, known.name)

    def _contact(self, phone: str) -> Contact:
        for contact in self.account.contacts.values():
            if any(_digits(known.value) == _digits(phone) for known in contact.phones):
                return contact
        return self.registry.new_contact(phone, phone)

    def _chat_with(self, contact: Contact) -> Chat | None:
        if not self.registry.quirks.write_first_reuses_chat:
            return None
        chats = (c for c in self.account.chats.values() if c.contact_id == contact.id)
        return next(chats, None)

    def _new_chat(self, contact: Contact, phone: str, source: str | None) -> Chat:
        person = Person(self.registry.new_id(), None, contact.name, phone)
        self.account.people[person.id] = person
        chat = self.registry.open_chat(None, person, source)
        chat.contact_id = contact.id
        return chat


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
