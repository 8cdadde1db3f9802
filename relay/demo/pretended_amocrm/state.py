"""What the pretended account knows, as plain data that tests and the demo page read.

Nothing here decides anything; `registry`, `intake` and `marks` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JsonBody = Mapping[str, Any]
"""A decoded JSON object whose shape has been checked: its values have the documented types."""


@dataclass(slots=True)
class User:
    """An employee in the CRM. `amojo_id` is null until he has been in the chats once."""

    id: int
    name: str
    amojo_id: str | None
    email: str = ""
    is_admin: bool = False
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Bot:
    """The channel's bot, made by support: the sender of messages whose author is unknown."""

    id: str
    name: str


@dataclass(slots=True)
class Person:
    """A client in the chats. `client_id` is the integration's id, None until he is bound."""

    id: str
    client_id: str | None
    name: str
    phone: str = ""
    email: str = ""
    avatar: str = ""


@dataclass(slots=True)
class Chat:
    """A chat. `client_id` is the integration's ``conversation_id``, None until it is bound."""

    id: str
    client_id: str | None
    person_id: str
    created_ms: int
    source: str | None = None
    contact_id: int | None = None
    lead_id: int | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message; `id` is amojo's."""

    kind: Literal["client", "user", "bot", "robot"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery status as it was reported: 1 delivered, 2 read, -1 failed with code and text."""

    status: int
    at_ms: int
    error_code: int | None = None
    error: str | None = None


@dataclass(slots=True)
class Hook:
    """A hook as it left: its very bytes, and what became of it. One attempt, never a second.

    `lost` has the reason unless the answer was exactly 200 in time; None while it is under way.
    """

    url: str
    body: bytes
    signature: str | None
    sent_ms: int
    status: int | None = None
    finished: bool = False
    lost: str | None = None
    took_ms: int | None = None


@dataclass(slots=True)
class Message:
    """A message in a chat. `id` is amojo's, `msgid` the integration's; `direction` is the CRM's.

    `content` is the message object as it was given; `timestamp_ms` the moment it claims,
    `accepted_ms` the moment it came. `imported` tells a message that the integration brought.
    """

    id: str
    msgid: str | None
    chat_id: str
    direction: Literal["in", "out"]
    author: Author
    kind: str
    text: str
    timestamp_ms: int
    accepted_ms: int
    content: JsonBody
    imported: bool = True
    silent: bool = False
    source: str | None = None
    quoted_id: str | None = None
    reports: list[DeliveryReport] = field(default_factory=list)
    earlier_texts: list[str] = field(default_factory=list)
    reactions: dict[str, str] = field(default_factory=dict)
    hook: Hook | None = None

    @property
    def status(self) -> int | None:
        """The last delivery status; None means sent, of which nothing was reported yet."""
        return self.reports[-1].status if self.reports else None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A message offered again under a ``msgid`` that was taken before, and its answer's status."""

    msgid: str
    message_id: str
    at_ms: int
    status: int


@dataclass(frozen=True, slots=True)
class Typing:
    """A client is typing in a chat, until `until_ms`."""

    chat_id: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Phone:
    """One value of a contact's PHONE field."""

    value: str
    enum_code: str = "WORK"


@dataclass(slots=True)
class Contact:
    """A contact's card."""

    id: int
    name: str
    phones: list[Phone] = field(default_factory=list)
    updated_ms: int = 0


@dataclass(frozen=True, slots=True)
class Lead:
    """An unsorted lead, made by a first message that was not silent."""

    id: int
    chat_id: str
    contact_id: int
    source: str | None


@dataclass(slots=True)
class Source:
    """An entrance by which chats come in, as the integration named it."""

    id: int
    external_id: str
    name: str
    pipeline_id: int
    services: list[JsonBody] = field(default_factory=list)
    default: bool = False


@dataclass(slots=True)
class Connection:
    """The channel's connection to the account; None in `Account` until ``connect``."""

    title: str
    hook_api_version: str
    is_time_window_disabled: bool
    connected_ms: int


@dataclass(slots=True)
class Account:
    """The account with everything in it; lists are in the order of acceptance."""

    id: int
    amojo_id: str
    subdomain: str
    name: str
    channel_id: str
    bot: Bot
    users: list[User]
    connection: Connection | None = None
    chats: dict[str, Chat] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    typings: list[Typing] = field(default_factory=list)
    contacts: dict[int, Contact] = field(default_factory=dict)
    leads: list[Lead] = field(default_factory=list)
    sources: dict[int, Source] = field(default_factory=dict)
    pipelines: list[int] = field(default_factory=lambda: [4711, 4712])
    connects: int = 0
    message_by_id: dict[str, Message] = field(default_factory=dict, repr=False)
    message_by_msgid: dict[str, Message] = field(default_factory=dict, repr=False)
    chat_by_client_id: dict[str, Chat] = field(default_factory=dict, repr=False)
    person_by_client_id: dict[str, Person] = field(default_factory=dict, repr=False)

    @property
    def scope_id(self) -> str:
        """``{channel_id}_{account amojo_id}``, in the path of every method but connect."""
        return f"{self.channel_id}_{self.amojo_id}"

    def chat(self, either_id: str) -> Chat:
        """The chat with this id, amojo's or the integration's; KeyError if there is none."""
        return self.chats.get(either_id) or self.chat_by_client_id[either_id]

    def in_chat(self, either_id: str) -> list[Message]:
        """The messages of a chat in order of acceptance."""
        chat = self.chat(either_id)
        return [message for message in self.messages if message.chat_id == chat.id]

    def user(self, user_id: int) -> User:
        """The employee with this numeric id; KeyError if there is none."""
        for user in self.users:
            if user.id == user_id:
                return user
        raise KeyError(user_id)

    def keep(self, message: Message) -> None:
        """Put a message at the end."""
        self.messages.append(message)
        self.message_by_id[message.id] = message
        if message.msgid is not None:
            self.message_by_msgid[message.msgid] = message
