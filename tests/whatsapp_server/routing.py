"""Carries the messages and receipts of linked clients to those they are meant for."""

from __future__ import annotations

import time

from tests.whatsapp_server.addresses import GROUPS, SERVICE, Jid
from tests.whatsapp_server.directory import Directory
from tests.whatsapp_server.inbox import Receipt
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Attributes, Node, node


class Router:
    """Between a client's socket and everybody else. ``lost`` keeps what was meant for nobody."""

    def __init__(self, directory: Directory) -> None:
        self.lost: list[str] = []
        self._directory = directory

    async def carry(self, device: LinkedDevice, stanza: Node) -> None:
        """Takes a client's message: an ack for it, and a copy for each device it names."""
        to, number = stanza.jid("to"), stanza.get("id")
        ack: Attributes = {"class": "message", "id": number, "from": to, "t": now()}
        if device.refuse_sends:
            await device.say(Node("ack", {**ack, "error": device.refuse_sends.pop(0)}))
            return
        if device.drops_undelivered:
            device.drops_undelivered -= 1
            device.drop()
            return
        for target, enc in _copies(stanza):
            await self._pass_on(device, target, enc, stanza)
        if device.drops_before_ack:
            device.drops_before_ack -= 1
            device.drop()
            return
        if not device.silent:
            await device.say(Node("ack", ack))

    async def _pass_on(self, device: LinkedDevice, target: Jid, enc: Node, stanza: Node) -> None:
        person = self._directory.find(target.person)
        if person is None:
            self.lost.append(f"a copy for {target}, who does not exist: {stanza}")
        elif target.device == 0:
            await person.hear(device, stanza.jid("to").person, enc, stanza)
        elif linked := person.linked.get(target.device):
            await linked.deliver(self._forwarded(device, linked, enc, stanza))

    def _forwarded(
        self, sender: LinkedDevice, reader: LinkedDevice, enc: Node, stanza: Node
    ) -> Node:
        """A client's message as another client gets it: somebody else's, or one of its account."""
        attributes: Attributes = {
            "from": sender.lid,
            "addressing_mode": "lid",
            "id": stanza.get("id"),
            "type": stanza.get("type"),
            "t": now(),
        }
        if sender.lid.person != reader.lid.person:
            return Node("message", {**attributes, "sender_pn": sender.jid}, (enc,))
        to = stanza.jid("to").person
        known = self._directory.find(to)
        beside: Attributes = {"peer_recipient_pn": known.jid} if known else {}
        return Node("message", {**attributes, "recipient": to, **beside}, (enc,))

    async def take_receipt(self, device: LinkedDevice, stanza: Node) -> None:
        """Takes a client's word on a message: an ack, and word to the author."""
        device.confirmed(stanza)
        to, kind = stanza.jid("to"), stanza.get("type") or "delivered"
        ack = node("ack", class_="receipt", id=stanza.get("id"), from_=to)
        kept: Attributes = {k: v for k, v in stanza.attributes.items() if k in _KEPT}
        await device.say(Node("ack", {**ack.attributes, **kept}))
        author = stanza.jid("participant") if to.server in (GROUPS, "broadcast") else to
        person = self._directory.find(author.person)
        if person is None:
            if to != SERVICE:
                self.lost.append(f"a receipt for {author}, who does not exist: {stanza}")
            return
        for number in _ids(stanza):
            person.receipts.put(Receipt(number, kind, device.lid, stanza))
        if kind == "retry":
            await person.resend(device, stanza)


_KEPT = ("type", "participant")


def _copies(stanza: Node) -> list[tuple[Jid, Node]]:
    """Each device that a message names, with what is encrypted for it."""
    direct = stanza.child("enc")
    participants = stanza.child("participants")
    named = participants.children if participants else ()
    copies = [(to.jid("jid"), to.need("enc")) for to in named]
    if direct and not named:
        copies.append((stanza.jid("to"), direct))
    return copies


def _ids(stanza: Node) -> list[str]:
    listed = [item.get("id") for items in stanza.all("list") for item in items.all("item")]
    return [stanza.get("id"), *listed]


def now() -> str:
    """The service's time in seconds, as stanzas spell it."""
    return str(int(time.time()))
