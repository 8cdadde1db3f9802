"""Builds what a phone hands over at pairing: earlier messages, names, and pairs of addresses."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.whatsapp_server import content
from tests.whatsapp_server.media import MediaHost, Sealed
from tests.whatsapp_server.person import Person, new_id
from tests.whatsapp_server.protobuf import encode

Fields = list[tuple[int, int | str | bytes]]

_RECENT, _PUSH_NAMES = 3, 4


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier message of a chat; ``own`` was written by the owner. Time in seconds."""

    chat: Person
    text: str
    at_s: int
    own: bool = False
    id: str = field(default_factory=new_id)


def handover(messages: Sequence[Past], media: MediaHost | None = None) -> bytes:
    """The body that carries the messages, grouped by chat, newest first as phones do.

    They stand in the body itself, or in a file on the media host if one is given.
    """
    chats = {message.chat.lid: message.chat for message in messages}
    conversations = [
        (2, _conversation(chat, [m for m in messages if m.chat is chat])) for chat in chats.values()
    ]
    mappings = [(15, encode((1, str(c.jid)), (2, str(c.lid)))) for c in chats.values()]
    sync = encode((1, _RECENT), *conversations, (6, 100), *mappings)
    return _notification(_RECENT, sync, media)


def names(people: Iterable[Person]) -> bytes:
    """The body that carries push names."""
    pairs = [(7, encode((1, str(person.lid)), (2, person.name))) for person in people]
    return _notification(_PUSH_NAMES, encode((1, _PUSH_NAMES), *pairs))


def _notification(kind: int, sync: bytes, media: MediaHost | None = None) -> bytes:
    data = zlib.compress(sync)
    place: Fields = [(11, data)] if media is None else _stored(data, media)
    fields: Fields = sorted([*place, (6, kind), (7, 1), (9, 100)], key=lambda field: field[0])
    return encode((12, encode((2, 5), (6, encode(*fields)))))


def _stored(data: bytes, media: MediaHost) -> Fields:
    sealed = Sealed.of(data, "history")
    return [
        (1, hashlib.sha256(data).digest()),
        (2, len(data)),
        (3, sealed.key),
        (4, hashlib.sha256(sealed.blob).digest()),
        (5, media.keep(sealed.blob)),
    ]


def _conversation(chat: Person, messages: list[Past]) -> bytes:
    newest_first = sorted(messages, key=lambda message: -message.at_s)
    entries = [
        (2, encode((1, _entry(message)), (2, len(newest_first) - order)))
        for order, message in enumerate(newest_first)
    ]
    last_s = newest_first[0].at_s
    return encode((1, str(chat.lid)), *entries, (12, last_s), (13, chat.name))


def _entry(message: Past) -> bytes:
    key = encode((1, str(message.chat.lid)), (2, message.own), (3, message.id))
    name = None if message.own else message.chat.name
    return encode((1, key), (2, content.text(message.text)), (3, message.at_s), (19, name))
