"""The ledger proper: who is who, which message is which, what amoCRM was told, and facts.

Links come without a time; they are dated by the latest time the ledger was told.
"""

from __future__ import annotations

from relay.delivery.ledger import Conversation, Link
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Client, Receipt, Status
from relay.domain.phone_check import PhoneCheck, PhoneState
from relay.sqlite.outbox import OutboxTable

_COLUMNS = (
    "id, own, client_address, client_phone, client_name, crm_chat, crm_client, crm_bound,"
    " since_ms, wrote"
)
_CONVERSATION = f"SELECT {_COLUMNS} FROM conversation WHERE id = ?"  # noqa: S608 - constants
_OF_CHAT = (
    f"SELECT {_COLUMNS} FROM conversation"  # noqa: S608 - constants
    " WHERE id = (SELECT conversation FROM crm_chat WHERE id = ?)"
)
_SAVE = (
    f"INSERT INTO conversation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
    " ON CONFLICT (id) DO UPDATE SET own = excluded.own,"
    " client_address = excluded.client_address, client_phone = excluded.client_phone,"
    " client_name = excluded.client_name, crm_chat = excluded.crm_chat,"
    " crm_client = excluded.crm_client, crm_bound = excluded.crm_bound,"
    " since_ms = excluded.since_ms, wrote = excluded.wrote"
)
_SAVE_CHAT = (
    "INSERT INTO crm_chat (id, conversation) VALUES (?, ?)"
    " ON CONFLICT (id) DO UPDATE SET conversation = excluded.conversation"
)
_ALIAS = "SELECT conversation FROM alias WHERE own = ? AND address = ?"
_SAVE_ALIAS = (
    "INSERT INTO alias (own, address, conversation) VALUES (?, ?, ?)"
    " ON CONFLICT (own, address) DO UPDATE SET conversation = excluded.conversation"
)
_CHECK = "SELECT state, checked_ms FROM phone_check WHERE number = ?"
_SAVE_CHECK = (
    "INSERT INTO phone_check (number, state, checked_ms) VALUES (?, ?, ?)"
    " ON CONFLICT (number) DO UPDATE SET state = excluded.state, checked_ms = excluded.checked_ms"
)
_LINK = (
    "INSERT INTO link (own, whatsapp_id, crm_id, kept_ms) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (own, whatsapp_id)"
    " DO UPDATE SET crm_id = excluded.crm_id, kept_ms = excluded.kept_ms"
)
_LINKED = (
    "SELECT link.crm_id, told.status FROM link LEFT JOIN told ON told.crm_id = link.crm_id"
    " WHERE link.own = ? AND link.whatsapp_id = ?"
)
_LINK_OF = (
    "SELECT link.own, link.whatsapp_id, told.status FROM link"
    " LEFT JOIN told ON told.crm_id = link.crm_id WHERE link.crm_id = ?"
)
_EARLY = (
    "INSERT INTO early_receipt (own, whatsapp_id, status, at_ms, kept_ms) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (own, whatsapp_id) DO UPDATE SET status = excluded.status,"
    " at_ms = excluded.at_ms, kept_ms = excluded.kept_ms WHERE excluded.status > status"
)
_TAKE_EARLY = "SELECT status, at_ms FROM early_receipt WHERE own = ? AND whatsapp_id = ?"
_ANY_EARLY = "SELECT max(kept_ms) FROM early_receipt"
_FORGET_EARLY = "DELETE FROM early_receipt WHERE own = ? AND whatsapp_id = ?"
_TOLD = (
    "INSERT INTO told (crm_id, status, kept_ms) VALUES (?, ?, ?)"
    " ON CONFLICT (crm_id) DO UPDATE SET status = excluded.status,"
    " kept_ms = excluded.kept_ms WHERE excluded.status > status"
)
_FACT = "SELECT value FROM fact WHERE name = ?"
_SET_FACT = (
    "INSERT INTO fact (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)

_Row = tuple[str, str, str, str | None, str | None, str | None, str | None, int, int, int]


class PeopleTable(OutboxTable):
    """The part of the ledger that knows conversations, pairs of ids and facts."""

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        """A conversation by our id."""
        known = self._memory.conversations
        if conversation in known:
            return known[conversation]
        row = self._connection.execute(_CONVERSATION, (conversation,)).fetchone()
        return known.keep(conversation, _conversation(row) if row else None)

    def conversation_of_chat(self, chat: CrmChatId) -> Conversation | None:
        """A conversation by any of amoCRM's chats for it."""
        row = self._connection.execute(_OF_CHAT, (chat,)).fetchone()
        return _conversation(row) if row else None

    def save_conversation(self, conversation: Conversation) -> None:
        """Insert or replace by id; its chat, if any, leads to it from now on."""
        client = conversation.client
        row = (
            conversation.id,
            conversation.own,
            client.address,
            client.phone,
            client.name,
            conversation.crm_chat,
            conversation.crm_client,
            int(conversation.crm_bound),
            conversation.since_ms,
            int(conversation.wrote),
        )
        self._connection.execute(_SAVE, row)
        self._memory.conversations.keep(conversation.id, conversation)
        if conversation.crm_chat is not None:
            self._connection.execute(_SAVE_CHAT, (conversation.crm_chat, conversation.id))

    def alias(self, own: OwnNumber, address: ClientAddress) -> ConversationId | None:
        """The conversation that an address was told to lead to."""
        known, name = self._memory.aliases, (own, address)
        if name in known:
            return known[name]
        row = self._connection.execute(_ALIAS, name).fetchone()
        return known.keep(name, ConversationId(row[0]) if row else None)

    def save_alias(
        self, own: OwnNumber, address: ClientAddress, conversation: ConversationId
    ) -> None:
        """From now on the address leads there."""
        self._connection.execute(_SAVE_ALIAS, (own, address, conversation))
        self._memory.aliases.keep((own, address), conversation)

    def phone_check(self, number: str) -> PhoneCheck | None:
        """What is known of a number, and since when."""
        known = self._memory.checks
        if number in known:
            return known[number]
        row = self._connection.execute(_CHECK, (number,)).fetchone()
        return known.keep(number, PhoneCheck(PhoneState(row[0]), row[1]) if row else None)

    def save_phone_check(self, number: str, check: PhoneCheck) -> None:
        """Insert or replace what is known of a number."""
        self._connection.execute(_SAVE_CHECK, (number, check.state.value, check.checked_ms))
        self._memory.checks.keep(number, check)

    def link(self, link: Link) -> Receipt | None:
        """Keep the pair of ids; returns a receipt that had come before it, if one did."""
        pair = (link.own, link.whatsapp_id)
        self._connection.execute(_LINK, (*pair, link.crm_id, self._now_ms))
        self.told(link.crm_id, link.told)
        if not self._any_early():
            return None
        row = self._connection.execute(_TAKE_EARLY, pair).fetchone()
        if row is None:
            return None
        self._connection.execute(_FORGET_EARLY, pair)
        status, at_ms = row
        return Receipt(link.own, (link.whatsapp_id,), Status(status), at_ms)

    def _any_early(self) -> bool:
        if self._memory.early is None:
            (latest_ms,) = self._connection.execute(_ANY_EARLY).fetchone()
            self._memory.early = latest_ms is not None
        return self._memory.early

    def linked(self, own: OwnNumber, whatsapp_id: WhatsAppMessageId) -> Link | None:
        """The pair by WhatsApp's id."""
        row = self._connection.execute(_LINKED, (own, whatsapp_id)).fetchone()
        if row is None:
            return None
        crm_id, status = row
        return Link(own, whatsapp_id, CrmMessageId(crm_id), Status(status or Status.SENT))

    def link_of(self, crm_id: CrmMessageId) -> Link | None:
        """The pair by amoCRM's id."""
        row = self._connection.execute(_LINK_OF, (crm_id,)).fetchone()
        if row is None:
            return None
        own, whatsapp_id, status = row
        pair = OwnNumber(own), WhatsAppMessageId(whatsapp_id)
        return Link(*pair, crm_id, Status(status or Status.SENT))

    def told(self, crm_id: CrmMessageId, status: Status) -> bool:
        """Raise what amoCRM is told of a message; "sent" is where every message begins."""
        if status is Status.SENT:
            return False
        return self._connection.execute(_TOLD, (crm_id, int(status), self._now_ms)).rowcount > 0

    def early_receipt(self, receipt: Receipt, whatsapp_id: WhatsAppMessageId, now_ms: int) -> None:
        """Keep the furthest status until the link comes."""
        self._now_ms = now_ms
        row = (receipt.own, whatsapp_id, int(receipt.status), receipt.at_ms, now_ms)
        self._connection.execute(_EARLY, row)
        self._memory.early = True

    def fact(self, name: str) -> str | None:
        """A fact by name."""
        row = self._connection.execute(_FACT, (name,)).fetchone()
        return str(row[0]) if row else None

    def set_fact(self, name: str, value: str) -> None:
        """Remember a fact."""
        self._connection.execute(_SET_FACT, (name, value))


def _conversation(row: _Row) -> Conversation:
    number, own, address, phone, name, chat, person, bound, since_ms, wrote = row
    return Conversation(
        ConversationId(number),
        OwnNumber(own),
        Client(ClientAddress(address), phone, name),
        None if chat is None else CrmChatId(chat),
        None if person is None else CrmPersonId(person),
        bool(bound),
        since_ms,
        bool(wrote),
    )
