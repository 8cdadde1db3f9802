"""Reads and answers a client's request to its own phone for messages it could not read."""

from __future__ import annotations

import time

from tests.whatsapp_server.protobuf import Fields, encode

_PROTOCOL = 12
_REQUEST, _RESPONSE = 16, 17  # both the types of the protocol message and its fields
_RESEND = 4


def wanted(message: Fields) -> list[bytes]:
    """The keys of the messages asked for, empty if this is no such request."""
    protocol = message.message(_PROTOCOL)
    request = protocol.message(_REQUEST)
    if protocol.number(2) != _REQUEST or request.number(1) != _RESEND:
        return []
    return [entry.bytes(1) for entry in request.messages(5)]


def id_of(key: bytes) -> str:
    """The id of the message that a key names."""
    return Fields(key).text(3)


def answer(request_id: str, found: list[tuple[bytes, bytes, str]]) -> bytes:
    """The phone's answer: for each key the message itself and its author's name."""
    results = [(3, encode((4, encode((1, _entry(key, body, name)))))) for key, body, name in found]
    response = encode((1, _RESEND), (2, request_id), *results)
    return encode((_PROTOCOL, encode((2, _RESPONSE), (_RESPONSE, response))))


def _entry(key: bytes, body: bytes, name: str) -> bytes:
    return encode((1, key), (2, body), (3, int(time.time())), (19, name))
