"""What the pretended WhatsApp says to a linked device: its own JSON, and how it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from relay.demo.pretended_whatsapp.things import Attachment, Card, Place, Thing
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.ids import ClientAddress, OwnNumber, WhatsAppMessageId
from relay.domain.message import (
    Client,
    Deleted,
    Edited,
    Noise,
    Origin,
    Reacted,
    Receipt,
    Received,
    Status,
    WhatsAppEvent,
)

Fields = Mapping[str, object]


def message(
    *,
    id_: str,
    own: str,
    client: str,
    name: str,
    from_phone: bool,
    text: str,
    at_ms: int,
    holds: Fields | None = None,
    quotes: str | None = None,
) -> bytes:
    """A message seen on a line: of a client, or of the owner's handset."""
    return _encoded(
        {
            **(holds or {}),
            **({"quotes": quotes} if quotes is not None else {}),
            "type": "message",
            "id": id_,
            "own": own,
            "client": client,
            "name": name,
            "from": "phone" if from_phone else "client",
            "text": text,
            "at_ms": at_ms,
        }
    )


def sequel(
    happened: str,
    *,
    id_: str,
    target: str,
    own: str,
    client: str,
    name: str,
    at_ms: int,
    **more: object,
) -> bytes:
    """What a client did with a message afterwards: ``edited``, ``deleted`` or ``reacted``."""
    about = {"id": id_, "target": target, "own": own, "client": client, "name": name}
    return _encoded({"type": happened, **about, "at_ms": at_ms, **more})


def holds(ref: str, thing: Thing | None) -> Fields:
    """What a message tells of the thing in it: of a file all but its bytes."""
    match thing:
        case None:
            return {}
        case Place(latitude, longitude, name):
            return {"place": {"latitude": latitude, "longitude": longitude, "name": name}}
        case Card(name, phone):
            return {"card": {"name": name, "phone": phone}}
        case Attachment() as file:
            told = {
                "ref": ref,
                "what": file.what,
                "name": file.name,
                "mime": file.mime,
                "size": len(file.data),
                "duration_s": file.duration_s,
            }
            return {"media": told}


def receipt(*, own: str, ids: Sequence[str], read: bool, at_ms: int) -> bytes:
    """What became of messages sent from a line."""
    status = "read" if read else "delivered"
    return _encoded(
        {"type": "receipt", "own": own, "ids": list(ids), "status": status, "at_ms": at_ms}
    )


def read_payload(payload: bytes) -> Sequence[WhatsAppEvent]:
    """What was said, in the relay's words.

    Raises:
        ValueError: it makes no sense.
    """
    fields = json.loads(payload)
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")
    match fields.get("type"):
        case "message":
            return (_message(fields),)
        case "receipt":
            return (_receipt(fields),)
        case "edited" | "deleted" | "reacted":
            return (_sequel(fields),)
        case str(other):
            return (Noise(other),)
        case _:
            raise ValueError("the type is missing")


def _message(fields: Fields) -> Received:
    number = _text(fields, "client")
    text = fields.get("text")
    return Received(
        own=OwnNumber(_text(fields, "own")),
        client=Client(ClientAddress(number), f"+{number}", _text(fields, "name")),
        id=WhatsAppMessageId(_text(fields, "id")),
        sent_at_ms=_number(fields, "at_ms"),
        origin=Origin(_text(fields, "from")),
        content=_content(text, fields),
        quotes=WhatsAppMessageId(str(fields["quotes"])) if "quotes" in fields else None,
    )


def _sequel(fields: Fields) -> Edited | Deleted | Reacted:
    number = _text(fields, "client")
    own, client = (
        OwnNumber(_text(fields, "own")),
        Client(ClientAddress(number), f"+{number}", _text(fields, "name")),
    )
    id_, target = (WhatsAppMessageId(_text(fields, name)) for name in ("id", "target"))
    at_ms = _number(fields, "at_ms")
    match fields["type"]:
        case "edited":
            new = _content(fields.get("text"), fields)
            return Edited(own, client, id_, target, at_ms, Origin.CLIENT, new)
        case "deleted":
            return Deleted(own, client, id_, target, at_ms, Origin.CLIENT)
        case _:
            emoji = str(fields.get("emoji", ""))
            return Reacted(own, client, id_, target, at_ms, Origin.CLIENT, emoji)


def _content(text: object, fields: Fields) -> Content:
    match fields:
        case {"media": dict(file)}:
            return _media(file, text if isinstance(text, str) else "")
        case {"place": {"latitude": float(lat), "longitude": float(lon), "name": str(name)}}:
            return Location(lat, lon, name)
        case {"card": {"name": str(name), "phone": str(phone)}}:
            return Contacts((ContactCard(name, (phone,)),))
    return Text(text) if isinstance(text, str) else Unsupported("unknown")


def _media(file: Fields, caption: str) -> Media:
    size, duration = file.get("size"), file.get("duration_s")
    return Media(
        MediaKind(_text(file, "what")),
        Remote(_text(file, "ref")),
        caption=caption,
        name=str(file.get("name", "")),
        mime=str(file.get("mime", "")),
        size=size if isinstance(size, int) else None,
        duration_s=duration if isinstance(duration, int) else None,
    )


def _receipt(fields: Fields) -> Receipt:
    ids = fields.get("ids")
    if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
        raise ValueError("ids: expected a list of strings")
    status = Status.READ if _text(fields, "status") == "read" else Status.DELIVERED
    known = tuple(WhatsAppMessageId(id_) for id_ in cast(list[str], ids))
    return Receipt(OwnNumber(_text(fields, "own")), known, status, _number(fields, "at_ms"))


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: expected text")
    return value


def _number(fields: Fields, name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name}: expected a number")
    return value


def _encoded(fields: Fields) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
