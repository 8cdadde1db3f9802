"""Plays an owner's phone: links clients to its account and sends messages of its own."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from tests.whatsapp_server import content, placeholder
from tests.whatsapp_server.addresses import SERVICE
from tests.whatsapp_server.app_state import AppState
from tests.whatsapp_server.code_pairing import CodeRequest, secret_of
from tests.whatsapp_server.history import Past, handover, names
from tests.whatsapp_server.inbox import Heard, Inbox
from tests.whatsapp_server.linked import LinkedDevice, Registered
from tests.whatsapp_server.media import MediaHost
from tests.whatsapp_server.node import Attribute, Node, node
from tests.whatsapp_server.pairing import PairingError, Registration, link, read_qr
from tests.whatsapp_server.person import Person, new_id


class Phone(Person):
    """The phone of an account that clients are linked to; made by ``WhatsAppServer.phone``."""

    def __init__(
        self, number: str, lid: str, name: str, registrations: Mapping[str, Registration]
    ) -> None:
        super().__init__(number, lid, name)
        self.settings = AppState()
        self.code_requests: Inbox[CodeRequest] = Inbox(f"the codes for {name} ({number})")
        self._registrations = registrations
        self._news = itertools.count(1)

    async def scan(self, qr: str) -> LinkedDevice:
        """Scans a QR code and links its client. Raises ``PairingError`` if it cannot be."""
        ref, noise, identity, secret = read_qr(qr)
        registration = self._registrations.get(ref)
        if registration is None:
            raise PairingError("the QR code is of no client that waits")
        registration.check(noise, identity)
        return await link(self, registration, secret, self.adopt)

    async def enter_code(self, code: str) -> LinkedDevice:
        """Types the code that a client shows. Raises ``PairingError`` if it cannot be linked."""
        request = await self.code_requests.take(what="a client that shows a code")
        secret = await secret_of(request, code, self.device.identity)
        return await link(self, request.registration, secret, self.adopt)

    def adopt(self, registered: Registered) -> LinkedDevice:
        """Makes a client a linked device of the account."""
        index = max(self.linked, default=0) + 1
        device = LinkedDevice(self.jid.with_device(index), self.lid.with_device(index), registered)
        self.linked[index] = device
        return device

    async def unlink(self, device: LinkedDevice) -> None:
        """Removes a linked device from the account, as the owner does on the phone."""
        await device.stream_error(code=401, conflict="device_removed")

    async def send(
        self,
        to: Person,
        body: str | bytes,
        *,
        addressing: Literal["lid", "pn"] = "lid",
        message_id: str | None = None,
        at_s: int | None = None,
    ) -> str:
        """Types a message on the phone: the other side and the own linked devices get it."""
        number = message_id or new_id()
        plain = content.text(body) if isinstance(body, str) else body
        when = str(at_s if at_s is not None else int(time.time()))
        attributes: dict[str, Attribute] = {"id": number, "t": when}
        attributes["type"] = content.stanza_type(plain)
        attributes |= self._copy_addresses(to, addressing)
        to.overhear(self.lid, to.lid, plain, node("message", id=number))
        destination = to.lid if addressing == "lid" else to.jid
        for device in self.linked_devices():
            copy = content.sent_by_owner(destination, plain)
            self.sent[number] = copy, attributes
            await self.tell(device, copy, attributes, content.marks(plain))
        return number

    async def edit(self, to: Person, target_id: str, body: str) -> str:
        """Writes an own message anew, on the phone."""
        return await self.send(to, content.edit(body, target_id, to.lid))

    async def take_back(self, to: Person, target_id: str) -> str:
        """Deletes an own message for everybody, on the phone."""
        return await self.send(to, content.revoke(target_id, to.lid))

    async def react(self, to: Person, target_id: str, emoji: str, *, to_own: bool = False) -> str:
        """Puts an emoji on a message of the other side's, or ``to_own``."""
        return await self.send(to, content.reaction(emoji, target_id, to.lid, own=not to_own))

    async def read(self, author: Person, message_id: str) -> None:
        """Reads a message on the phone: linked devices learn that it was read there."""
        attributes: dict[str, Attribute] = {"from": self.lid, "recipient": author.lid}
        attributes |= {"id": message_id, "type": "read-self", "t": str(int(time.time()))}
        for device in self.linked_devices():
            await device.deliver(Node("receipt", attributes))

    async def share_names(self, contacts: Mapping[Person, str] | None = None) -> None:
        """Tells linked devices the owner's push name and the names of the address book.

        Without this a client does not know its own name, and cannot announce its presence.
        """
        news = [self.settings.name_owner(self.name)]
        for person, name in (contacts or {}).items():
            news.append(self.settings.name_contact(str(person.lid), name))
        for device in self.linked_devices():
            await self._tell_peer(device, self.settings.key_share())

    async def rename(self, name: str) -> None:
        """Changes the owner's push name later."""
        self.name = name
        await self._announce(self.settings.name_owner(name))

    async def _announce(self, collection: Node) -> None:
        number = f"sync-{next(self._news)}"
        last = node("collection", name="regular", version="1")
        notification = node(
            "notification", collection, last, from_=SERVICE, type="server_sync", id=number
        )
        for device in self.linked_devices():
            await device.deliver(notification)

    async def hand_over_history(
        self, messages: Sequence[Past], media: MediaHost | None = None
    ) -> None:
        """Gives linked devices earlier messages and push names, as at pairing.

        With ``media`` the messages lie in a file there, as a long history does.
        """
        people = {message.chat.lid: message.chat for message in messages}
        for device in self.linked_devices():
            await self._tell_peer(device, handover(messages, media))
            await self._tell_peer(device, names(people.values()))

    async def attend(self, sender: LinkedDevice, heard: Heard) -> None:
        """Gives an own client the messages it asks its phone for."""
        keys = placeholder.wanted(heard.message)
        known = [key for key in keys if placeholder.id_of(key) in self.known]
        found = [(key, self.known[placeholder.id_of(key)], "") for key in known]
        if found:
            await self._tell_peer(sender, placeholder.answer(heard.id, found))

    async def _tell_peer(self, device: LinkedDevice, body: bytes) -> None:
        """Speaks to a linked device about the account itself."""
        number = new_id()
        attributes: dict[str, Attribute] = {"from": self.jid, "id": number, "type": "text"}
        attributes |= {"category": "peer", "t": str(int(time.time()))}
        self.sent[number] = body, attributes
        await self.tell(device, body, attributes)

    def _copy_addresses(self, to: Person, addressing: Literal["lid", "pn"]) -> dict[str, Attribute]:
        if addressing == "lid":
            return {"from": self.lid, "recipient": to.lid, "peer_recipient_pn": to.jid}
        return {"from": self.jid, "recipient": to.jid, "peer_recipient_lid": to.lid}
