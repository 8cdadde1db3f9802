"""Raw payloads of the library in our words. Pure: no clock, no state, no library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from relay.domain.contents import UNDECRYPTABLE, VIEW_ONCE, Content, Unsupported
from relay.domain.ids import OwnNumber, WhatsAppMessageId
from relay.domain.message import (
    Client,
    Edited,
    Noise,
    Origin,
    Reacted,
    Receipt,
    Received,
    Status,
    WhatsAppEvent,
    Withheld,
)
from relay.whatsapp.linked_device.addressing import Nobody, Peer, alias_of, peer_of
from relay.whatsapp.linked_device.calls import read_call_end
from relay.whatsapp.linked_device.content import content_of
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.numbers import LEARNT, read_learnt
from relay.whatsapp.linked_device.past import PAST, PAST_NEWS
from relay.whatsapp.linked_device.payload import RawEvent, unwrap
from relay.whatsapp.linked_device.protobufs import (
    Info,
    SeenMessage,
    SeenReceipt,
    Source,
    Undecryptable,
    as_text,
    parse,
)
from relay.whatsapp.linked_device.sequels import Sequel, may_be_sequel, quoted_id, sequel_of

Events = Sequence[WhatsAppEvent]

_HIDE = 2  # UndecryptableMessage.DecryptFailMode: the sender asks to show nothing
_PLACEHOLDER = "~placeholder"

_STATUS = {1: Status.DELIVERED, 4: Status.READ, 6: Status.READ}
"""Receipt types: delivered, read, played. The others concern our own devices or the protocol."""


def read_payload(payload: bytes) -> Sequence[WhatsAppEvent]:
    """What was handed over, in our words.

    Raises:
        ValueError: the payload makes no sense.
    """
    event = unwrap(payload)
    reader = _READERS.get(event.code)
    if reader is None:
        raise ValueError(f"event {event.code} of the library is not read here")
    return reader(event)


def placeholder_id(message: WhatsAppMessageId) -> WhatsAppMessageId:
    """The id of what stands in for a message that could not be decrypted.

    It is an id of its own: the message itself usually follows under its plain id, and an id once
    seen is never taken in again. Whoever fills the placeholder finds it by this function.
    """
    return WhatsAppMessageId(message + _PLACEHOLDER)


def _message(event: RawEvent) -> Events:
    seen = cast(SeenMessage, parse("Message", event.data))
    peer = peer_of(seen.Info.MessageSource, event.own)
    if isinstance(peer, Nobody):
        return (Noise(peer.rule),)
    info, source = seen.Info, seen.Info.MessageSource
    once = seen.IsViewOnce or seen.IsViewOnceV2 or seen.IsViewOnceV2Extension
    if may_be_sequel(seen.Message):
        sequel = sequel_of(seen.Message, _said(info, event.own, peer, Unsupported("")))
        if sequel is not None:
            return _with_alias(source, _standing_in(sequel, once=once))
    content = content_of(seen.Message)
    if content is None:
        return (Noise("protocol"),)
    if once:
        content = Unsupported(VIEW_ONCE)
    # Asked for again, so it came before and could not be read.
    again = seen.RetryCount > 0 or bool(seen.UnavailableRequestID)
    instead_of = placeholder_id(_id(info.ID)) if again else None
    quotes = quoted_id(seen.Message)
    told = _said(info, event.own, peer, content, instead_of=instead_of, quotes=quotes)
    return _with_alias(source, _called(told, event.name))


def _standing_in(sequel: Sequel, *, once: bool) -> Sequel:
    """It may speak of a message that could not be read, or of one to be seen once."""
    if isinstance(sequel, Reacted):
        return sequel
    sequel = replace(sequel, instead_of=placeholder_id(sequel.target))
    if once and isinstance(sequel, Edited):
        return replace(sequel, content=Unsupported(VIEW_ONCE))
    return sequel


def _called(said: Received, name: str | None) -> Received:
    """What the phone's address book calls a client goes before what he calls himself."""
    if name is None:
        return said
    return replace(said, client=replace(said.client, name=name))


def _past(event: RawEvent) -> Events:
    """A message from before the linking: it enters without a sound, unless it is the newest."""
    return tuple(
        replace(said, silent=event.code == PAST) if isinstance(said, Received) else said
        for said in _message(event)
    )


def _undecryptable(event: RawEvent) -> Events:
    seen = cast(Undecryptable, parse("UndecryptableMessage", event.data))
    peer = peer_of(seen.Info.MessageSource, event.own)
    if isinstance(peer, Nobody):
        return (Noise(peer.rule),)
    if seen.DecryptFailMode == _HIDE:
        return (Noise("protocol"),)
    told = _said(seen.Info, event.own, peer, Unsupported(UNDECRYPTABLE))
    stand_in = replace(told, id=placeholder_id(told.id))
    if event.code == Code.WITHHELD:
        return (Withheld(told.id, stand_in),)  # beside whose address there never is another
    return _with_alias(seen.Info.MessageSource, stand_in)


def _receipt(event: RawEvent) -> Events:
    seen = cast(SeenReceipt, parse("Receipt", event.data))
    if seen.MessageSource.IsFromMe:
        return (Noise("own_receipt"),)
    peer = peer_of(seen.MessageSource, event.own)
    if isinstance(peer, Nobody):
        return (Noise(peer.rule),)
    status = _STATUS.get(seen.Type)
    ids = tuple(_id(message) for message in seen.MessageIDs)
    if status is None or not ids:
        return (Noise("receipt"),)
    receipt = Receipt(event.own, ids, status, max(0, seen.Timestamp) * 1000)
    return _with_alias(seen.MessageSource, receipt)


def _said(
    info: Info,
    own: OwnNumber,
    peer: Peer,
    content: Content,
    *,
    instead_of: WhatsAppMessageId | None = None,
    quotes: WhatsAppMessageId | None = None,
) -> Received:
    from_phone = info.MessageSource.IsFromMe
    name = None if from_phone else as_text(info.Pushname).strip() or None
    return Received(
        own=own,
        client=Client(peer.address, peer.phone, name),
        id=_id(info.ID),
        sent_at_ms=max(0, info.Timestamp),
        origin=Origin.PHONE if from_phone else Origin.CLIENT,
        content=content,
        instead_of=instead_of,
        quotes=quotes,
    )


def _with_alias(source: Source, event: Received | Receipt | Sequel) -> Events:
    """The event, after what its addresses tell of the client."""
    alias = alias_of(source, event.own)
    return (event,) if alias is None else (alias, event)


def _learnt(event: RawEvent) -> Events:
    return (read_learnt(event),)


def _id(value: str | bytes) -> WhatsAppMessageId:
    text = as_text(value)
    if not text:
        raise ValueError("a message without an id")
    return WhatsAppMessageId(text)


_READERS: dict[int, Callable[[RawEvent], Events]] = {
    LEARNT: _learnt,
    PAST: _past,
    PAST_NEWS: _past,
    Code.MESSAGE: _message,
    Code.RECEIPT: _receipt,
    Code.UNDECRYPTABLE: _undecryptable,
    Code.WITHHELD: _undecryptable,
    Code.CALL_TERMINATE: read_call_end,
}
