"""Who and where a message belongs to: finds, makes and binds chats, people, contacts, leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.state import (
    Account,
    Author,
    Chat,
    Contact,
    JsonBody,
    Lead,
    Person,
    Phone,
)

if TYPE_CHECKING:
    from relay.demo.pretended_amocrm.quirks import Quirks

_FIRST_CONTACT = 501
_FIRST_LEAD = 9001


class Registry:
    """The chats of one account and the cards behind them.

    `note` is told what amoCRM would take and understand otherwise than the client meant.
    """

    def __init__(
        self,
        account: Account,
        quirks: Quirks,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        note: Callable[[str, str], None],
    ) -> None:
        self.account = account
        self.quirks = quirks
        self.now_ms = now_ms
        self.new_id = new_id
        self.note = note

    def employee(self, party: JsonBody) -> Author | None:
        """The user or bot a sender's ``ref_id`` names, or None."""
        ref_id = party.get("ref_id")
        if ref_id is None:
            return None
        bot = self.account.bot
        if ref_id == bot.id:
            return Author("bot", bot.id, bot.name)
        for user in self.account.users:
            if user.amojo_id == ref_id:
                return Author("user", ref_id, user.name)
        return None

    def chat_for(self, payload: JsonBody, client: JsonBody, *, outgoing: bool) -> Chat:
        """The chat of a new message, made or bound if need be.

        Raises Refusal if the amojo ids given are nobody's.
        """
        chat = self._referred(payload, client, outgoing=outgoing)
        if chat is None:
            chat = self.account.chat_by_client_id.get(payload["conversation_id"])
        if chat is None:
            chat = self.open_chat(payload["conversation_id"], self.person_for(client))
        chat.source = payload.get("source", {}).get("external_id", chat.source)
        return chat

    def open_chat(self, client_id: str | None, person: Person, source: str | None = None) -> Chat:
        """A new chat with `person`."""
        chat = Chat(self.new_id(), client_id, person.id, self.now_ms(), source)
        self.account.chats[chat.id] = chat
        if client_id is not None:
            self.account.chat_by_client_id[client_id] = chat
        return chat

    def person_for(self, client: JsonBody) -> Person:
        """The client of the given party object; a new one if the integration's id is new."""
        client_id = client.get("id") or client["ref_id"]
        person = self.account.person_by_client_id.get(client_id)
        if person is None:
            person = Person(self.new_id(), client_id, "")
            self.account.people[person.id] = person
            self.account.person_by_client_id[client_id] = person
        self._describe(person, client)
        return person

    def make_cards(self, chat: Chat, *, lead: bool = True) -> None:
        """The contact, and the unsorted lead, that a first message not silent brings along."""
        if chat.contact_id is None:
            person = self.account.people[chat.person_id]
            chat.contact_id = self.new_contact(person.name, person.phone).id
        if lead and chat.lead_id is None:
            number = _FIRST_LEAD + len(self.account.leads)
            self.account.leads.append(Lead(number, chat.id, chat.contact_id, chat.source))
            chat.lead_id = number

    def new_contact(self, name: str, phone: str) -> Contact:
        """A new contact's card; `phone` is kept as it is written."""
        number = _FIRST_CONTACT + len(self.account.contacts)
        contact = Contact(number, name, [Phone(phone)] if phone else [], self.now_ms())
        self.account.contacts[number] = contact
        return contact

    def _referred(self, payload: JsonBody, client: JsonBody, *, outgoing: bool) -> Chat | None:
        """The chat named by amojo's own ids, bound; None where the message does not name one."""
        chat = self._known_chat(payload.get("conversation_ref_id"))
        person = self._known_person(client.get("ref_id"))
        if chat is None and person is None:
            return None
        if chat is None or person is None or "id" not in client:
            return self._half_referred(chat, person, payload["conversation_id"])
        if chat.person_id != person.id:
            raise Refusal(400, "NotInChat", f"client {person.id} is not in chat {chat.id}")
        if outgoing and chat.client_id is None and not self.quirks.outgoing_binds:
            return None
        self._bind(chat, person, payload["conversation_id"], client)
        return chat

    def _half_referred(
        self, chat: Chat | None, person: Person | None, client_id: str
    ) -> Chat | None:
        if chat is not None and chat.client_id is not None:
            self._check_conversation(chat, client_id)
            return chat
        if person is None or person.client_id is None:
            self.note(
                "HalfBinding",
                "a chat begun by write first is bound only by conversation_ref_id together with"
                " the client's id and ref_id; a second chat is opened instead",
            )
        return None

    def _bind(self, chat: Chat, person: Person, client_id: str, client: JsonBody) -> None:
        self._check_conversation(chat, client_id)
        if person.client_id not in (None, client["id"]):
            detail = f"client {person.id} is {person.client_id!r}, not {client['id']!r}"
            raise Refusal(400, "ClientMismatch", detail)
        chat.client_id = client_id
        person.client_id = client["id"]
        self.account.chat_by_client_id[client_id] = chat
        self.account.person_by_client_id[client["id"]] = person
        self._describe(person, client)

    @staticmethod
    def _check_conversation(chat: Chat, client_id: str) -> None:
        if chat.client_id not in (None, client_id):
            detail = f"chat {chat.id} is {chat.client_id!r}, not {client_id!r}"
            raise Refusal(400, "ConversationMismatch", detail)

    def _known_chat(self, ref_id: str | None) -> Chat | None:
        if ref_id is None:
            return None
        if ref_id not in self.account.chats:
            raise Refusal(400, "ChatUnknown", f"conversation_ref_id {ref_id!r} is no chat")
        return self.account.chats[ref_id]

    def _known_person(self, ref_id: str | None) -> Person | None:
        if ref_id is None:
            return None
        if ref_id not in self.account.people:
            raise Refusal(400, "ClientUnknown", f"ref_id {ref_id!r} is no client")
        return self.account.people[ref_id]

    @staticmethod
    def _describe(person: Person, client: JsonBody) -> None:
        profile = client.get("profile", {})
        person.name = client.get("name", person.name)
        person.avatar = client.get("avatar", person.avatar)
        person.phone = profile.get("phone", person.phone)
        person.email = profile.get("email", person.email)
