"""Plays a group: members, a subject, and messages to the linked devices of its members."""

from __future__ import annotations

import time

from tests.whatsapp_server import content
from tests.whatsapp_server.addresses import GROUPS, Jid
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Attribute, Node, node
from tests.whatsapp_server.person import Person, new_id
from tests.whatsapp_server.protobuf import encode
from tests.whatsapp_server.sender_key import SenderKey
from tests.whatsapp_server.signal_device import padded


class Group:
    """A group of people; made by ``WhatsAppServer.group``."""

    def __init__(self, user: str, subject: str, members: tuple[Person, ...]) -> None:
        self.jid = Jid(user, GROUPS)
        self.subject = subject
        self.members = members
        self._keys: dict[Jid, SenderKey] = {}

    async def send(self, author: Person, text: str) -> str:
        """Has a member write to all others; gives the message's id."""
        number = new_id()
        key = self._keys.setdefault(author.lid, SenderKey())
        distribution = key.distribution()
        ciphertext = key.encrypt(padded(content.text(text)))
        for member in self.members:
            for device in member.linked_devices():
                await self._send(author, device, number, distribution, ciphertext)
        return number

    async def _send(
        self, author: Person, device: LinkedDevice, number: str, distribution: bytes, data: bytes
    ) -> None:
        shared = encode((2, encode((1, str(self.jid)), (2, distribution))))
        attributes: dict[str, Attribute] = {
            "from": self.jid,
            "participant": author.lid,
            "participant_pn": author.jid,
            "addressing_mode": "lid",
            "id": number,
            "type": "text",
            "t": str(int(time.time())),
            "notify": author.name,
        }
        said = Node("enc", {"v": "2", "type": "skmsg"}, data)
        await device.deliver(Node("message", attributes, (author.sealed(device, shared), said)))

    def description(self) -> Node:
        """The group as the service describes it."""
        members = [
            node("participant", jid=member.lid, phone_number=member.jid) for member in self.members
        ]
        return node(
            "group",
            *members,
            id=self.jid.user,
            subject=self.subject,
            creation="1700000000",
            creator=self.members[0].lid,
            s_t="1700000000",
            s_o=self.members[0].lid,
            addressing_mode="lid",
        )
