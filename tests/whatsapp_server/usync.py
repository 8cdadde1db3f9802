"""Answers what a client asks about other users: devices, hidden ids, who is on WhatsApp at all."""

from __future__ import annotations

from collections.abc import Callable

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.node import Attribute, Node, leaf, node
from tests.whatsapp_server.person import Person

Find = Callable[[Jid], Person | None]


def answer(request: Node, find: Find) -> Node:
    """The reply to a ``<usync>``: per user whatever its query names."""
    asked = [part.tag for part in request.need("query").children]
    users = [_user(user, asked, find) for user in request.need("list").children]
    return node("usync", node("result"), node("list", *users))


def _user(user: Node, asked: list[str], find: Find) -> Node:
    contact = user.child("contact")
    if contact is not None:
        return _registered(contact.data, find)
    jid = user.jid("jid")
    person = find(jid)
    parts = [part for name in asked for part in _part(name, person)]
    return node("user", *parts, jid=jid)


def _registered(query: bytes, find: Find) -> Node:
    number = query.decode().partition("@")[0].removeprefix("+")
    person = find(Jid(number))
    contact = leaf("contact", query, type="in" if person else "out")
    addresses: dict[str, Attribute] = {"jid": Jid(number)}
    if person:
        addresses = {"jid": person.lid, "pn_jid": person.jid}
    return node("user", contact, **addresses)


def _part(name: str, person: Person | None) -> list[Node]:
    if person is None:
        return []
    match name:
        case "devices":
            return [node("devices", _device_list(person))]
        case "lid":
            return [node("lid", val=person.lid)]
        case "status":
            return [leaf("status", b"", t="0")]
        case _:
            return []  # a business's name, a picture: nobody here has one


def _device_list(person: Person) -> Node:
    indices = [0, *(device.jid.device for device in person.linked_devices())]
    entries = [node("device", id=str(index), key_index=str(index)) for index in indices]
    return node("device-list", *entries)
