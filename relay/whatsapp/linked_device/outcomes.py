"""What became of a send, told from the library's answer. The unknown is "unknown", never a retry.

The library's error texts were read in whatsmeow's ``send.go`` and ``request.go`` (August 2026).
"""

from __future__ import annotations

import re
from typing import Protocol, cast

from relay.domain.message import Failure
from relay.domain.outbox import Closed, Dead, Delivered, Outcome, Retry, Unknown
from relay.domain.reasons import Reason
from relay.whatsapp.linked_device.protobufs import as_text, parse


class _SendResponse(Protocol):
    ID: str | bytes


class _Answer(Protocol):
    Error: str | bytes
    SendResponse: _SendResponse


_NO_SUCH_CLIENT = re.compile(r"^no LID found for ")
_REFUSED = re.compile(r"^server returned error (\d+)")
_CLOSED_TO_STRANGERS = "463"
"""The account may begin no new conversations for a while. The library does not tell how long."""
_NOT_SENT = re.compile(
    r"^(failed to ("
    r"get (LID for PN|user info for|device list)|fetch LID mappings|prefetch sessions"
    r"|save cached sessions|process prekey bundle|clear untrusted identity"
    r"|encrypt|marshal|send message node: websocket not connected$"
    r")|can't encrypt message|cipher encryption failed|client is nil"
    r"|the store doesn't contain a device JID)"
)
"""Failures before the message's frame was written to the socket.

A bare ``websocket not connected`` is not among them: it comes from the second attempt that the
library makes by itself after the link broke while it waited, so the first may have arrived.
"""


def outcome_of(answer: bytes) -> Outcome:
    """What the library's answer to a send means."""
    try:
        read = cast(_Answer, parse("SendMessageReturnFunction", answer))
    except ValueError as error:
        return Unknown(f"the library's answer to a send cannot be read: {error}")
    if read.Error:
        return _failure(as_text(read.Error))
    id_ = as_text(read.SendResponse.ID)
    return Delivered(id_) if id_ else Unknown("the library told no id of the sent message")


def _failure(error: str) -> Outcome:
    if _NO_SUCH_CLIENT.search(error):
        return Dead("not on WhatsApp", Failure.NO_SUCH_CLIENT, Reason.NOT_ON_WHATSAPP)
    if refused := _REFUSED.search(error):
        words = f"WhatsApp refused it: {refused[1]}"
        closed = refused[1] == _CLOSED_TO_STRANGERS
        return Closed(words) if closed else Dead(words, Failure.OTHER, Reason.REFUSED)
    if _NOT_SENT.search(error):
        return Retry(f"not sent: {_brief(error)}")
    return Unknown(_brief(error))


def _brief(error: str) -> str:
    """The library's words without addresses: they go into the log and into health."""
    return re.sub(r"\d{5,}", "…", error)[:200]
