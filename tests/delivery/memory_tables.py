"""What the ledger in memory keeps, and who is who in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.delivery.ledger import Conversation
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Receipt, Status
from relay.domain.outbox import Entry, EntryId, JournalRow, Seq
from relay.domain.phone_check import PhoneCheck

_Pair = tuple[OwnNumber, WhatsAppMessageId]


@dataclass(slots=True)
class Tables:
    """Everything that is kept. The values are frozen, so a shallow copy is a true one."""

    unread: dict[Seq, JournalRow] = field(default_factory=dict)
    held: dict[Seq, tuple[JournalRow, str]] = field(default_factory=dict)
    read: dict[Seq, tuple[JournalRow, str | None]] = field(default_factory=dict)
    unreadable: dict[Seq, tuple[JournalRow, str]] = field(default_factory=dict)
    entries: dict[EntryId, Entry] = field(default_factory=dict)
    finished_ms: dict[EntryId, int] = field(default_factory=dict)
    keys: dict[str, EntryId] = field(default_factory=dict)
    conversations: dict[ConversationId, Conversation] = field(default_factory=dict)
    chats: dict[CrmChatId, ConversationId] = field(default_factory=dict)
    links: dict[_Pair, tuple[int, CrmMessageId]] = field(default_factory=dict)
    told: dict[CrmMessageId, tuple[int, Status]] = field(default_factory=dict)
    early: dict[_Pair, tuple[int, Receipt]] = field(default_factory=dict)
    aliases: dict[tuple[OwnNumber, ClientAddress], ConversationId] = field(default_factory=dict)
    checks: dict[str, PhoneCheck] = field(default_factory=dict)
    posted: dict[MessageId, tuple[int, ConversationId, CrmMessageId | None]] = field(
        default_factory=dict
    )
    tokens: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    last_seq: int = 0
    last_id: int = 0

    def copy(self) -> Tables:
        """The same things in tables of their own."""
        twin = Tables()
        for name in self.__slots__:
            value = getattr(self, name)
            setattr(twin, name, value.copy() if isinstance(value, dict) else value)
        return twin


@dataclass(slots=True)
class HeardTime:
    """The latest time the ledger was told: it dates what comes without one."""

    now_ms: int = 0


class MemoryPeople:
    """The part of the ledger that knows conversations, addresses and numbers."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        return self._tables.conversations.get(conversation)

    def conversation_of_chat(self, chat: CrmChatId) -> Conversation | None:
        conversation = self._tables.chats.get(chat)
        return None if conversation is None else self._tables.conversations[conversation]

    def save_conversation(self, conversation: Conversation) -> None:
        self._tables.conversations[conversation.id] = conversation
        if conversation.crm_chat is not None:
            self._tables.chats[conversation.crm_chat] = conversation.id

    def alias(self, own: OwnNumber, address: ClientAddress) -> ConversationId | None:
        return self._tables.aliases.get((own, address))

    def save_alias(
        self, own: OwnNumber, address: ClientAddress, conversation: ConversationId
    ) -> None:
        self._tables.aliases[own, address] = conversation

    def phone_check(self, number: str) -> PhoneCheck | None:
        return self._tables.checks.get(number)

    def save_phone_check(self, number: str, check: PhoneCheck) -> None:
        self._tables.checks[number] = check
