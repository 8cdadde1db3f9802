"""A pretended WhatsApp: phones, their chats, and the simulated engine that the relay runs on it.

What belongs here is WhatsApp's behaviour as a company and its clients see it; what does not is
anything about amoCRM or about the page.
"""

from relay.demo.pretended_whatsapp.engine import SimulatedEngine
from relay.demo.pretended_whatsapp.exchange import Exchange
from relay.demo.pretended_whatsapp.things import (
    Attachment,
    Bubble,
    Card,
    Line,
    Person,
    Place,
    Thing,
    Tick,
)
from relay.demo.pretended_whatsapp.world import World

__all__ = [
    "Attachment",
    "Bubble",
    "Card",
    "Exchange",
    "Line",
    "Person",
    "Place",
    "SimulatedEngine",
    "Thing",
    "Tick",
    "World",
]
