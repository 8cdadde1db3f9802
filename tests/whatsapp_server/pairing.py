"""Links a new client to a phone's account: the offer, the phone's signature, the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable

from tests.whatsapp_server.addresses import SERVICE
from tests.whatsapp_server.connection import Connection, Hello
from tests.whatsapp_server.keys import KeyPair, verify
from tests.whatsapp_server.linked import LinkedDevice, Registered
from tests.whatsapp_server.node import Node, leaf, node
from tests.whatsapp_server.person import Person
from tests.whatsapp_server.protobuf import Fields, encode
from tests.whatsapp_server.signal_device import PublicPrekey

_REFS = 6
_PASSKEY = {"challenge": "dGVzdA", "rpId": "whatsapp.com", "timeout": 60000, "allowCredentials": []}
_ACCOUNT_SIGNS = b"\x06\x00"
_DEVICE_SIGNS = b"\x06\x01"


class PairingError(RuntimeError):
    """The client refused to be linked, or asked for something that is not so."""


class Registration:
    """A client that is connected and belongs to nobody yet."""

    def __init__(self, connection: Connection, hello: Hello) -> None:
        self.connection = connection
        self.registered = _registered(hello)
        self.refs = [f"2@{secrets.token_urlsafe(48)}" for _ in range(_REFS)]

    async def offer(self) -> None:
        """Hands the client the references that its QR codes show one after another."""
        refs = [leaf("ref", ref.encode()) for ref in self.refs]
        await self.connection.tell(node("pair-device", *refs), type="set", xmlns="md")

    async def demand_passkey(self) -> None:
        """Tells the client that this account is linked with a passkey only."""
        options = leaf("passkey_request_options", json.dumps(_PASSKEY).encode())
        await self.connection.send(
            node(
                "notification",
                options,
                from_=SERVICE,
                type="passkey_prologue_request",
                id="passkey-1",
            )
        )

    async def hang_up(self) -> None:
        """Ends the line while the client still shows its code."""
        await self.connection.hang_up()

    def check(self, noise: bytes, identity: bytes) -> None:
        """Raises ``PairingError`` unless the QR code speaks of this client's keys."""
        if (noise, identity) != (self.registered.static, self.registered.identity):
            raise PairingError("the QR code carries other keys than the client that shows it")


def _registered(hello: Hello) -> Registered:
    data = hello.payload.message(19)
    signed_id = int.from_bytes(data.bytes(4), "big")
    signed = PublicPrekey(signed_id, data.bytes(5), data.bytes(6))
    return Registered(hello.static, int.from_bytes(data.bytes(1), "big"), data.bytes(3), signed)


def read_qr(text: str) -> tuple[str, bytes, bytes, bytes]:
    """The reference, noise key, identity and secret of a QR code's text."""
    parts = text.rpartition("#")[2].split(",")
    if len(parts) != 5:
        raise PairingError(f"a QR code has five parts, this one {len(parts)}")
    ref, *keys = parts[:4]
    noise, identity, secret = (base64.b64decode(key, validate=True) for key in keys)
    return ref, noise, identity, secret


async def link(
    owner: Person,
    registration: Registration,
    secret: bytes,
    adopt: Callable[[Registered], LinkedDevice],
) -> LinkedDevice:
    """Makes the client a linked device of ``owner``. Raises ``PairingError`` if it refuses."""
    index = max(owner.linked, default=0) + 1
    account = owner.device.identity
    client = registration.registered
    details = encode((1, secrets.randbits(31)), (2, int(time.time())), (3, index))
    answer = await registration.connection.ask(
        _success(owner, index, _boxed(account, details, client.identity, secret)),
        type="set",
        xmlns="md",
        t=str(int(time.time())),
    )
    _check(answer, details, client.identity, account.public)
    device = adopt(client)
    await registration.connection.send(node("stream:error", code="515"))
    # The client must hang up itself: if the service does, it may miss the 515 and never return.
    await registration.connection.closed.wait()
    return device


def _boxed(account: KeyPair, details: bytes, identity: bytes, secret: bytes) -> bytes:
    signature = account.sign(_ACCOUNT_SIGNS + details + identity)
    signed = encode((1, details), (2, account.public), (3, signature))
    return encode((1, signed), (2, hmac.digest(secret, signed, hashlib.sha256)))


def _success(owner: Person, index: int, box: bytes) -> Node:
    addresses = {"jid": owner.jid.with_device(index), "lid": owner.lid.with_device(index)}
    return node(
        "pair-success",
        leaf("device-identity", box),
        node("biz", name=""),
        node("device", **addresses),
        node("platform", name="android"),
    )


def _check(answer: Node, details: bytes, identity: bytes, account: bytes) -> None:
    if answer.get("type") != "result":
        raise PairingError(f"the client refused to be linked: {answer}")
    signed = Fields(answer.need("pair-device-sign", "device-identity").data)
    said = _DEVICE_SIGNS + details + identity + account
    if not verify(identity, said, signed.bytes(4)):
        raise PairingError("the client's signature is not of its identity")
