"""Plays an owner's phone: links clients to its account and sends messages of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from tests.whatsapp_server import content
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Attribute, node
from tests.whatsapp_server.pairing import PairingError, Registration, link, read_qr
from tests.whatsapp_server.person import Person, new_id


class Phone(Person):
    """The phone of an account that clients are linked to; made by ``WhatsAppServer.phone``."""

    def __init__(
        self, number: str, lid: str, name: str, registrations: Mapping[str, Registration]
    ) -> None:
        super().__init__(number, lid, name)
        self._registrations = registrations

    async def scan(self, qr: str) -> LinkedDevice:
        """Scans a QR code and links its client. Raises ``PairingError`` if it cannot be."""
        ref, noise, identity, secret = read_qr(qr)
        registration = self._registrations.get(ref)
        if registration is None:
            raise PairingError("the QR code is of no client that waits")
        registration.check(noise, identity)
        return await link(self, registration, secret)

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
        attributes: dict[str, Attribute] = {"id": number, "type": "text", "t": when}
        attributes |= self._copy_addresses(to, addressing)
        to.overhear(self.lid, to.lid, plain, node("message", id=number))
        destination = to.lid if addressing == "lid" else to.jid
        for device in self.linked_devices():
            await self.tell(device, content.sent_by_owner(destination, plain), attributes)
        return number

    def _copy_addresses(self, to: Person, addressing: Literal["lid", "pn"]) -> dict[str, Attribute]:
        if addressing == "lid":
            return {"from": self.lid, "recipient": to.lid, "peer_recipient_pn": to.jid}
        return {"from": self.jid, "recipient": to.jid, "peer_recipient_lid": to.lid}
