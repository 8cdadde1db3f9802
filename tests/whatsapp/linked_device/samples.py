"""Events of the library, made of its own protobuf messages, as its Go part encodes them."""

from __future__ import annotations

from typing import Any

from relay.domain.ids import OwnNumber
from relay.domain.message import Alias, WhatsAppEvent
from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.reading import read_payload

OWN = OwnNumber("74950000001")
PHONE = ("79161234567", "s.whatsapp.net")
LID = ("100000000000003", "lid")
OWN_LID = ("100000000000002", "lid")
OWN_PHONE = (OWN, "s.whatsapp.net")
NOWHERE = ("", "")
SENT_AT_MS = 1_770_000_000_000

Address = tuple[str, str]


def jid(address: Address) -> Any:
    user, server = address
    return protobufs.load().JID(
        User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not server
    )


def source(
    chat: Address,
    sender: Address | None = None,
    *,
    sender_alt: Address = NOWHERE,
    recipient_alt: Address = NOWHERE,
    from_me: bool = False,
    group: bool = False,
) -> Any:
    return protobufs.load().MessageSource(
        Chat=jid(chat),
        Sender=jid(sender or chat),
        IsFromMe=from_me,
        IsGroup=group,
        SenderAlt=jid(sender_alt),
        RecipientAlt=jid(recipient_alt),
        BroadcastListOwner=jid(NOWHERE),
    )


def info(where: Any, id_: str = "3A01", name: str = "Иван", at_ms: int = SENT_AT_MS) -> Any:
    return protobufs.load().MessageInfo(
        MessageSource=where, ID=id_, ServerID=0, Type="text", Pushname=name, Timestamp=at_ms,
        Category="", Multicast=False, MediaType="", Edit="",
    )  # fmt: skip


def message(
    where: Any,
    wire: bytes = b"\x0a\x02hi",
    *,
    retries: int = 0,
    requested: str = "",
    **about: Any,
) -> bytes:
    """A message event; ``wire`` is the content's own protobuf bytes."""
    event = protobufs.load().Message(
        Info=info(where, **about), IsEphemeral=False, IsViewOnce=False, IsViewOnceV2=False,
        IsViewOnceV2Extension=False, IsDocumentWithCaption=False, IsLottieSticker=False,
        IsEdit=False, UnavailableRequestID=requested, RetryCount=retries,
    )  # fmt: skip
    event.Message.SetInParent()
    event.Message.MergeFromString(wire)
    data: bytes = event.SerializePartialToString()
    return data


def content(**fields: Any) -> Any:
    """A ``waE2E.Message`` with these fields."""
    event = protobufs.load().Message()
    body = event.Message
    for name, values in fields.items():
        if isinstance(values, dict):
            part = getattr(body, name)
            part.SetInParent()
            for key, value in values.items():
                setattr(part, key, value)
        else:
            setattr(body, name, values)
    return body


def wire(**fields: Any) -> bytes:
    data: bytes = content(**fields).SerializePartialToString()
    return data


def receipt(where: Any, kind: int, *ids: str, at_s: int = SENT_AT_MS // 1000) -> bytes:
    data: bytes = (
        protobufs.load()
        .Receipt(MessageSource=where, MessageIDs=ids, Timestamp=at_s, Type=kind)
        .SerializeToString()
    )
    return data


def undecryptable(where: Any, id_: str = "3A01", *, hide: bool = False) -> bytes:
    data: bytes = (
        protobufs.load()
        .UndecryptableMessage(
            Info=info(where, id_), IsUnavailable=False, DecryptFailMode=2 if hide else 1
        )
        .SerializeToString()
    )
    return data


def device(own: str = OWN, name: str = "Sales") -> bytes:
    data: bytes = (
        protobufs.load()
        .Device(
            JID=jid((own, "s.whatsapp.net")), LID=jid(OWN_LID), Platform="android",
            BussinessName="", PushName=name, Initialized=True,
        )
        .SerializeToString()
    )  # fmt: skip
    return data


def letters(code: str = "", *, error: str = "") -> bytes:
    """The library's answer to the request for letters."""
    model = protobufs.load().PairPhoneReturnFunction(Code=code or None, Error=error or None)
    data: bytes = model.SerializeToString()
    return data


def answer(*, error: str = "", id_: str = "3EB0AA", chat: Address = NOWHERE) -> bytes:
    """The library's answer to a send."""
    module = protobufs.load()
    model = module.SendMessageReturnFunction(Error=error or None)
    if not error:
        timings = {field.name: 0 for field in module.MessageDebugTimings.DESCRIPTOR.fields}
        model.SendResponse.ID = id_
        model.SendResponse.Timestamp = 1
        model.SendResponse.ServerID = 0
        model.SendResponse.Chat.CopyFrom(jid(chat))
        model.SendResponse.DebugTimings.CopyFrom(module.MessageDebugTimings(**timings))
    data: bytes = model.SerializeToString()
    return data


def payload(code: Code, data: bytes, own: OwnNumber = OWN) -> bytes:
    return wrap(RawEvent(code, own, data))


def read(code: Code, data: bytes) -> WhatsAppEvent:
    """What it says beside whose number a hidden address is."""
    *_, event = read_payload(payload(code, data))
    return event


def aliases(code: int, data: bytes) -> list[Alias]:
    """Whose number a hidden address is, as far as it says."""
    events = read_payload(wrap(RawEvent(code, OWN, data)))
    return [event for event in events if isinstance(event, Alias)]


def check_answer(found: dict[str, Address], *absent: str, error: str = "") -> bytes:
    """The library's answer to a check: ``found`` leads from the query to the address told."""
    module = protobufs.load()
    model = module.IsOnWhatsAppReturnFunction(Error=error or None)
    for query in (*found, *absent):
        response = model.IsOnWhatsAppResponse.add()
        response.Query, response.IsIn = query, query in found
        response.JID.CopyFrom(jid(found.get(query, (query.removeprefix("+"), "s.whatsapp.net"))))
    data: bytes = model.SerializePartialToString()
    return data


def stored(address: Address) -> bytes:
    """The library's answer to a look-up; ``NOWHERE`` if it has nothing."""
    answer = protobufs.load().GetJIDFromStoreReturnFunction(Jid=jid(address))
    data: bytes = answer.SerializePartialToString()
    return data


def contacts(book: dict[Address, str]) -> bytes:
    """The library's answer to a look through the address book."""
    answer = protobufs.load().ContactsGetAllContactsReturnFunction()
    for address, name in book.items():
        contact = answer.Contact.add()
        contact.JID.CopyFrom(jid(address))
        contact.Info.FullName = name
        contact.Info.Found = True
        for empty in ("FirstName", "PushName", "BusinessName", "RedactedPhone"):
            setattr(contact.Info, empty, "")
    data: bytes = answer.SerializePartialToString()
    return data
