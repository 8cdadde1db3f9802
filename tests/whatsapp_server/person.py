"""Plays a person with a phone of their own: reads what reaches it and answers as a phone does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from types import MappingProxyType

from tests.whatsapp_server import content
from tests.whatsapp_server.addresses import LIDS, Jid
from tests.whatsapp_server.inbox import PATIENCE_S, Heard, Inbox, Receipt
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Attribute, Node, node
from tests.whatsapp_server.prekeys import bundle_nodes, read_bundle
from tests.whatsapp_server.protobuf import Fields
from tests.whatsapp_server.ratchet import SignalError
from tests.whatsapp_server.signal_device import SignalDevice, padded, unpadded

_MOST_RETRIES = 5


class Person:
    """Somebody with a number, a hidden id (LID), a phone, and perhaps linked devices.

    ``messages`` and ``receipts`` hold what reached the phone, ``repeated`` the ids that came twice
    and were shown once. ``deaf_for`` makes the phone fail to decrypt that many messages.
    """

    def __init__(self, number: str, lid: str, name: str) -> None:
        self.number = number
        self.name = name
        self.jid = Jid(number)
        self.lid = Jid(lid, LIDS)
        self.device = SignalDevice()
        self.linked: dict[int, LinkedDevice] = {}
        self.messages: Inbox[Heard] = Inbox(f"{name} ({number})")
        self.receipts: Inbox[Receipt] = Inbox(f"the receipts of {name} ({number})")
        self.given_up: Inbox[str] = Inbox(f"what {name} ({number}) never understood")
        self.repeated: list[str] = []
        self.retries_asked = 0
        self.deaf_for = 0
        self.picture_url: str | None = None
        self._garbles = False
        self._seen: set[tuple[Jid, str]] = set()
        self.sent: dict[str, tuple[bytes, dict[str, Attribute]]] = {}
        self.known: dict[str, bytes] = {}
        self.writers: dict[Jid, LinkedDevice] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.number} {self.lid}>"

    async def received(self, text: str | None = None, *, within_s: float = PATIENCE_S) -> Heard:
        """Waits for the next message, or for the one with this text, that nobody took yet."""
        return await self.messages.take(
            lambda heard: text is None or heard.text == text,
            what=f"a message {text!r}" if text is not None else "a message",
            within_s=within_s,
        )

    async def receipt_for(self, message_id: str, *kinds: str) -> Receipt:
        """Waits until a client says something of a message: one of ``kinds``, or anything."""
        return await self.receipts.take(
            lambda receipt: receipt.id == message_id and (not kinds or receipt.kind in kinds),
            what=f"a receipt {kinds or ''} for {message_id}",
        )

    # Hearing

    async def hear(self, sender: LinkedDevice, chat: Jid, enc: Node, stanza: Node) -> None:
        """Reads a message of a linked device; what cannot be read is asked for again."""
        self.writers[sender.lid] = sender
        number = stanza.get("id")
        if (sender.lid, number) in self._seen:
            self.repeated.append(number)
            return
        try:
            if self.deaf_for:
                self.deaf_for -= 1
                self.device.forget(sender.lid)
                raise SignalError("this phone was told not to understand")
            plaintext = self.device.decrypt(sender.lid, enc.get("type"), enc.data)
        except SignalError:
            await self._ask_again(sender, stanza)
            return
        self._seen.add((sender.lid, number))
        self.overhear(sender.lid, chat, unpadded(plaintext), stanza)
        await self.attend(sender, self.messages.history[-1])

    async def attend(self, sender: LinkedDevice, heard: Heard) -> None:
        """Does what a message asks of the phone itself; most ask nothing."""

    def overhear(self, sender: Jid, chat: Jid, plaintext: bytes, stanza: Node) -> None:
        """Puts a decrypted message where tests look for it."""
        self.known[stanza.get("id")] = plaintext
        body, destination = content.unwrapped(Fields(plaintext))
        text = content.text_of(body)
        self.messages.put(Heard(stanza.get("id"), sender, destination or chat, text, body, stanza))

    async def _ask_again(self, sender: LinkedDevice, stanza: Node) -> None:
        self.retries_asked += 1
        number, now = stanza.get("id"), str(int(time.time()))
        count = int(next((e.get("count") for e in stanza.all("enc") if e.get("count")), "0")) + 1
        if count > _MOST_RETRIES:
            self.given_up.put(number)
            return
        bundle = self.device.bundle()
        registration, *keys = bundle_nodes(bundle)
        retry = node("retry", count=str(count), id=number, t=now, v="1")
        children = (retry, registration, node("keys", *keys))
        attributes = {"id": number, "type": "retry", "t": now}
        await sender.deliver(node("receipt", *children, from_=self.lid, **attributes))

    async def resend(self, device: LinkedDevice, request: Node) -> None:
        """Sends a message again to a client that could not read it, in a new session."""
        number = request.get("id")
        plain, attributes = self.sent[number]
        keys = request.child("keys")
        registration = request.child("registration")
        if keys and registration:
            self.device.begin(device.lid, read_bundle(registration.data, keys))
        else:
            self.device.begin(device.lid, device.bundle())
        marks = {"count": request.need("retry").get("count")}
        await self.tell(device, plain, attributes, marks)

    # Speaking

    async def tell(
        self,
        device: LinkedDevice,
        body: bytes,
        attributes: dict[str, Attribute],
        marks: Mapping[str, str] | None = None,
    ) -> None:
        """Encrypts a body for one linked device and hands it to the service."""
        begins = not self.device.knows(device.lid)
        stanza = Node("message", attributes, (self.sealed(device, body, marks or {}),))
        await device.deliver(stanza)
        if begins:
            await device.ask_for_prekeys()

    def sealed(
        self, device: LinkedDevice, body: bytes, marks: Mapping[str, str] = MappingProxyType({})
    ) -> Node:
        """A body encrypted for one linked device; a session is begun if there is none."""
        if not self.device.knows(device.lid):
            self.device.begin(device.lid, device.bundle())
        kind, data = self.device.encrypt(device.lid, padded(body))
        if self._garbles:
            self._garbles, data = False, data[:-1] + bytes([data[-1] ^ 1])
        return Node("enc", {"v": "2", "type": kind, **marks}, data)

    def garble_next(self) -> None:
        """Breaks the next ciphertext on its way, so that the client cannot decrypt it."""
        self._garbles = True

    def linked_devices(self) -> list[LinkedDevice]:
        """The account's linked devices that are still linked."""
        return [device for device in self.linked.values() if not device.removed]


def new_id() -> str:
    """A message id in the form that phones use."""
    return "3A" + secrets.token_hex(9).upper()
