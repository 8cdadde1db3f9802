"""Two stores side by side: everything that can be seen of them, in a form that compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from relay.delivery.ledger import Ledger
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.outbox import Destination, Entry, EntryId

KEYS = [f"key-{number}" for number in range(12)]
LANES = ["a", "b", "c"]
SOURCES = ["amocrm", "whatsapp/sales", "whatsapp/support"]
OWNS = [OwnNumber("74950000001"), OwnNumber("74950000002")]
WHATSAPP_IDS = [WhatsAppMessageId(f"3EB0{number}") for number in range(4)]
CRM_IDS = [CrmMessageId(f"crm-{number}") for number in range(4)]
MESSAGES = [MessageId(f"wa-{number}") for number in range(4)]
CONVERSATIONS = [ConversationId(f"wa-{number}") for number in range(3)]
CHATS = [CrmChatId(f"chat-{number}") for number in range(4)]
ADDRESSES = [ClientAddress("7900"), ClientAddress("lid:1")]
FACTS = ["a", "b"]


@dataclass(slots=True)
class Book:
    """A store's own numbers for what both stores hold: ids may differ, order may not."""

    ids: dict[str, EntryId] = field(default_factory=dict)

    def write(self, key: str, entry: EntryId | None) -> bool:
        """Note the id of a new entry; whether there is one."""
        if entry is None:
            return False
        assert entry > max(self.ids.values(), default=0), "ids grow"
        self.ids[key] = entry
        return True

    def see(self, ledger: Ledger, now_ms: int) -> list[object]:
        """Everything a ledger shows at that time."""
        seen: list[object] = [_plain(e) for key in self.ids for e in [ledger.entry(self.ids[key])]]
        seen += [_plain(ledger.entry_of(key)) for key in KEYS]
        seen += [_plain(entry) for entry in ledger.dead(5)]
        seen += [_plain_all(ledger.unasked(limit, ())) for limit in (1, 99)]
        for destination in Destination:
            seen += [ledger.unread(destination, limit) for limit in (1, 99)]
            seen += [ledger.figures(destination), _plain_all(ledger.begun(destination))]
            seen += [_plain_all(ledger.waiting(destination, lane)) for lane in LANES]
            seen += self._see_time(ledger, destination, now_ms)
        seen += [ledger.conversation(one) for one in CONVERSATIONS]
        seen += [ledger.conversation_of_chat(chat) for chat in CHATS]
        seen += [ledger.linked(own, one) for own in OWNS for one in WHATSAPP_IDS]
        seen += [ledger.alias(own, one) for own in OWNS for one in ADDRESSES]
        seen += [ledger.phone_check(number) for number in ADDRESSES]
        seen += [ledger.posted(one) for one in CRM_IDS]
        seen += [list(ledger.nameless(one)) for one in CONVERSATIONS]
        seen += [ledger.fact(name) for name in FACTS]
        return seen

    def _see_time(self, ledger: Ledger, destination: Destination, now_ms: int) -> list[object]:
        seen: list[object] = []
        for later_ms in (0, 3_000, 50_000):
            for horizon_ms in (0, 4_000, 10**9):
                at_ms = now_ms + later_ms
                heads = ledger.due(destination, at_ms, 99, (), horizon_ms)
                busy = {head.id for head in heads[::2]}
                free = ledger.due(destination, at_ms, 1, busy, horizon_ms)
                seen += [_plain_all(heads), _plain_all(free)]
                seen.append(ledger.next_due_ms(destination, busy))
        return seen


def attempt(work: Callable[[], object]) -> object:
    """What a call gives, or the kind of error that it raises."""
    try:
        return work()
    except (ValueError, LookupError) as error:
        return type(error)


def _plain(entry: Entry | None) -> Entry | None:
    return None if entry is None else replace(entry, id=EntryId(0))


def _plain_all(entries: Sequence[Entry]) -> list[Entry | None]:
    return [_plain(entry) for entry in entries]
