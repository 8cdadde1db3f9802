"""A small world, and what a linked device is asked to send in it."""

from __future__ import annotations

import itertools

from relay.demo.cast import clients
from relay.demo.pretended_whatsapp import World
from relay.domain.bodies import Reply
from relay.domain.contents import Content, Text
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber

NOW_MS = 1_750_000_000_000
ANNA = "79000000001"


def a_world() -> World:
    numbers = itertools.count(1)
    world = World(clients(), lambda: NOW_MS, lambda: f"M{next(numbers)}")
    world.line("sales")
    return world


def a_reply(text: str = "hello", to: str = ANNA, content: Content | None = None) -> Reply:
    return Reply(
        ConversationId("c"),
        CrmMessageId("m"),
        ChannelId("sales"),
        OwnNumber("74950000001"),
        ClientAddress(to),
        content or Text(text),
    )
