"""Answers requests about prekeys: how many are left, new ones, and those of somebody else."""

from __future__ import annotations

from collections.abc import Callable

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.keys import DJB
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Node, leaf, node
from tests.whatsapp_server.signal_device import Bundle, PublicPrekey

BundleOf = Callable[[Jid], Bundle | None]


def count(device: LinkedDevice) -> Node:
    """How many one-time prekeys the service still has of the client."""
    return node("count", value=str(device.prekeys_left))


def upload(device: LinkedDevice, request: Node) -> None:
    """Takes the prekeys that a client uploads."""
    one_time = {}
    for key in request.need("list").children:
        prekey = read_prekey(key)
        one_time[prekey.number] = prekey.public
    identity = request.need("identity").data
    device.upload(identity, read_prekey(request.need("skey")), one_time)


def bundles(request: Node, bundle_of: BundleOf) -> Node:
    """The prekeys of other devices; a device that does not exist gets an error in its place."""
    users = [_bundle(user.jid("jid"), bundle_of) for user in request.children]
    return node("list", *users)


def _bundle(jid: Jid, bundle_of: BundleOf) -> Node:
    bundle = bundle_of(jid)
    if bundle is None:
        return node("user", node("error", code="404", text="item-not-found"), jid=jid)
    return node("user", *bundle_nodes(bundle), jid=jid)


def bundle_nodes(bundle: Bundle) -> tuple[Node, ...]:
    """A bundle as stanzas, the registration id first."""
    nodes = [
        leaf("registration", bundle.registration_id.to_bytes(4, "big")),
        leaf("type", DJB),
        leaf("identity", bundle.identity),
        _prekey("skey", bundle.signed),
    ]
    if bundle.one_time:
        nodes.append(_prekey("key", bundle.one_time))
    return tuple(nodes)


def read_bundle(registration: bytes, keys: Node) -> Bundle:
    """The bundle that a client encloses when it asks for a message again."""
    one_time = keys.child("key")
    return Bundle(
        int.from_bytes(registration, "big"),
        keys.need("identity").data,
        read_prekey(keys.need("skey")),
        read_prekey(one_time) if one_time else None,
    )


def read_prekey(key: Node) -> PublicPrekey:
    """A prekey of a stanza, with its signature if it has one."""
    signature = key.child("signature")
    number = int.from_bytes(key.need("id").data, "big")
    return PublicPrekey(number, key.need("value").data, signature.data if signature else b"")


def _prekey(tag: str, prekey: PublicPrekey) -> Node:
    parts = [
        leaf("id", prekey.number.to_bytes(3, "big")),
        leaf("value", prekey.public),
    ]
    if prekey.signature:
        parts.append(leaf("signature", prekey.signature))
    return node(tag, *parts)
