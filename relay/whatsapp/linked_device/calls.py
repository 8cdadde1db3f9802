"""Calls that nobody answered, in our words. Pure.

The library tells each end of a call with a reason. UNCONFIRMED: the reasons are those of WhatsApp
Web as it is known; whatever is not known to be an answer is taken for a missed call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relay.domain.contents import MISSED_CALL, Unsupported
from relay.domain.ids import WhatsAppMessageId
from relay.domain.message import (
    Alias,
    Client,
    Noise,
    Origin,
    Received,
    WhatsAppEvent,
)
from relay.whatsapp.linked_device.addressing import Nobody, alias_of, peer_of
from relay.whatsapp.linked_device.payload import RawEvent
from relay.whatsapp.linked_device.protobufs import as_text, load, parse

_DEALT_WITH = frozenset({"accepted_elsewhere", "rejected_elsewhere"})
"""The owner took it, or refused it, on his phone: he knows of it."""


def read_call_end(event: RawEvent) -> Sequence[WhatsAppEvent]:
    """A line in the chat for a call that the client made and nobody answered.

    Raises:
        ValueError: the event makes no sense.
    """
    end: Any = parse("CallTerminate", event.data)
    meta, reason = end.basicCallMeta, as_text(end.reason)
    call = as_text(meta.callID)
    if not call:
        raise ValueError("a call without an id")
    caller = getattr(meta, "from")  # a word of Python's
    if as_text(caller.User) != as_text(meta.callCreator.User):
        return (Noise("own_call"),)
    # A call has no source as a message has, but all that one is made of.
    module = load()
    source: Any = module.MessageSource(IsFromMe=False, IsGroup=False)
    source.Chat.CopyFrom(meta.callCreator)
    source.SenderAlt.CopyFrom(meta.callCreatorAlt)
    peer = peer_of(source, event.own)
    if isinstance(peer, Nobody):
        return (Noise(peer.rule),)
    if reason in _DEALT_WITH:
        return (Noise("answered_call"),)
    missed = Received(
        own=event.own,
        client=Client(peer.address, peer.phone),
        id=WhatsAppMessageId(f"{call}~call"),
        sent_at_ms=max(0, int(meta.timestamp)) * 1000,
        origin=Origin.CLIENT,
        content=Unsupported(MISSED_CALL),
    )
    alias: Alias | None = alias_of(source, event.own)
    return (missed,) if alias is None else (alias, missed)
