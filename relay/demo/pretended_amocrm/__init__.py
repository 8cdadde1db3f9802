"""A strict pretended amoCRM: account host and chats API of one account on loopback.

It is an independent reading of amoCRM's documents: nothing of the relay's own side of that
conversation is used here, so that one misunderstanding is not shared by both ends. What belongs
here is amoCRM's behaviour, good and bad; what does not is anything about the relay or WhatsApp.
"""

from relay.demo.pretended_amocrm.call import Seen
from relay.demo.pretended_amocrm.faults import (
    Answer,
    BeforeAnswer,
    Fault,
    Faults,
    Hang,
    Lie,
    Reset,
    Slow,
    garbage,
    too_many,
)
from relay.demo.pretended_amocrm.identity import BORIS, NEWCOMER, OLGA, Identity
from relay.demo.pretended_amocrm.quirks import Quirks
from relay.demo.pretended_amocrm.refusal import Violation
from relay.demo.pretended_amocrm.server import PretendedAmoCRM
from relay.demo.pretended_amocrm.state import (
    Account,
    Author,
    Bot,
    Chat,
    Connection,
    Contact,
    DeliveryReport,
    Hook,
    Lead,
    Message,
    Person,
    Phone,
    Repeat,
    Source,
    Typing,
    User,
)

__all__ = [
    "BORIS",
    "NEWCOMER",
    "OLGA",
    "Account",
    "Answer",
    "Author",
    "BeforeAnswer",
    "Bot",
    "Chat",
    "Connection",
    "Contact",
    "DeliveryReport",
    "Fault",
    "Faults",
    "Hang",
    "Hook",
    "Identity",
    "Lead",
    "Lie",
    "Message",
    "Person",
    "Phone",
    "PretendedAmoCRM",
    "Quirks",
    "Repeat",
    "Reset",
    "Seen",
    "Slow",
    "Source",
    "Typing",
    "User",
    "Violation",
    "garbage",
    "too_many",
]
