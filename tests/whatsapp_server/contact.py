"""Plays a client of the company: a person who writes to an owner's phone and reads its answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Literal

from tests.whatsapp_server import content
from tests.whatsapp_server.inbox import Heard
from tests.whatsapp_server.node import Attribute, Node, node
from tests.whatsapp_server.person import Person, new_id
from tests.whatsapp_server.phone import Phone
from tests.whatsapp_server.signal_device import SignalDevice

Addressing = Literal["lid", "pn", "lid_alone", "pn_alone"]
"""By hidden id with the number beside it, by number with the id beside it, or by one alone."""


class Contact(Person):
    """A person of any kind; made by ``WhatsAppServer.contact``."""

    async def send(
        self,
        owner: Phone,
        body: str | bytes,
        *,
        addressing: Addressing = "lid",
        message_id: str | None = None,
        at_s: int | None = None,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> str:
        """Writes to an owner: a text, or a body of ``content``; gives the message's id.

        ``at_s`` is the service's time of the message in seconds; ``attributes`` go to the stanza,
        as ``{"edit": "1"}`` does for an edit.
        """
        number = message_id or new_id()
        plain = content.text(body) if isinstance(body, str) else body
        when = str(at_s if at_s is not None else int(time.time()))
        common: dict[str, Attribute] = {
            "id": number,
            "type": content.stanza_type(plain),
            "t": when,
            "notify": self.name,
        }
        stanza = {**common, **self._addresses(addressing), **(attributes or {})}
        self.sent[number] = plain, stanza
        owner.overhear(self.lid, owner.lid, plain, node("message", id=number))
        for device in owner.linked_devices():
            await self.tell(device, plain, stanza, content.marks(plain))
        return number

    async def edit(
        self, owner: Phone, target_id: str, body: str | bytes, *, addressing: Addressing = "lid"
    ) -> str:
        """Writes an own message anew; gives the edit's id."""
        said = content.edit(body, target_id, owner.lid)
        return await self.send(owner, said, addressing=addressing, attributes={"edit": "1"})

    async def take_back(self, owner: Phone, target_id: str) -> str:
        """Deletes an own message for everybody."""
        said = content.revoke(target_id, owner.lid)
        return await self.send(owner, said, attributes={"edit": "7"})

    async def react(
        self,
        owner: Phone,
        target_id: str,
        emoji: str,
        *,
        to_own: bool = False,
        message_id: str | None = None,
    ) -> str:
        """Puts an emoji on a message of the owner's, or ``to_own``; an empty one takes it off."""
        said = content.reaction(emoji, target_id, owner.lid, own=not to_own)
        return await self.send(owner, said, message_id=message_id)

    async def send_unavailable(self, owner: Phone, body: str) -> str:
        """Sends what only the owner's phone can read; linked devices hear that there is something.

        A client then asks its phone for the message, which gives it.
        """
        number, plain = new_id(), content.text(body)
        owner.overhear(self.lid, owner.lid, plain, node("message", id=number))
        attributes: dict[str, Attribute] = {"id": number, "type": "text", "notify": self.name}
        attributes |= {"t": str(int(time.time())), **self._addresses("lid")}
        for device in owner.linked_devices():
            await device.deliver(Node("message", attributes, (node("unavailable"),)))
        return number

    def reinstall(self) -> None:
        """Starts on a new phone with the same number: new keys, no sessions."""
        self.device = SignalDevice()

    async def receipt(
        self,
        message: Heard,
        kind: str = "delivered",
        *,
        addressing: Addressing = "lid",
    ) -> None:
        """Tells the sender of a message that it was ``delivered``, ``read``, ``played``…

        Any word can be said, also one that the client does not know.
        """
        attributes: dict[str, Attribute] = {"id": message.id, "t": str(int(time.time()))}
        if kind != "delivered":
            attributes["type"] = kind
        sender = self.writers[message.sender]
        source = self._addresses(addressing)
        await sender.deliver(node("receipt", **{**attributes, "from_": source["from"]}))

    def _addresses(self, addressing: Addressing) -> dict[str, Attribute]:
        match addressing:
            case "lid":
                return {"from": self.lid, "sender_pn": self.jid, "addressing_mode": "lid"}
            case "lid_alone":
                return {"from": self.lid, "addressing_mode": "lid"}
            case "pn":
                return {"from": self.jid, "sender_lid": self.lid, "addressing_mode": "pn"}
            case "pn_alone":
                return {"from": self.jid, "addressing_mode": "pn"}

    async def typing(self, owner: Phone, *, composing: bool = True) -> None:
        """Shows the owner that this person types, or has stopped."""
        state = node("composing" if composing else "paused")
        for device in owner.linked_devices():
            await device.say(node("chatstate", state, from_=self.lid))

    async def call(
        self, owner: Phone, *, end: str | None = "timeout", addressing: Addressing = "lid"
    ) -> str:
        """Calls the owner, and hangs up with that reason, or with none; gives the call's id."""
        call, now = secrets.token_hex(16).upper(), str(int(time.time()))
        source = self._addresses(addressing)
        who: dict[str, Attribute] = {"call-creator": source["from"], "call-id": call}
        if "sender_pn" in source:
            who["caller_pn"] = source["sender_pn"]
        offer = Node("offer", who, (node("audio", enc="opus", rate="16000"),))
        why: dict[str, Attribute] = {} if end is None else {"reason": end}
        for child in (offer, Node("terminate", who | why)):
            stanza: dict[str, Attribute] = {"from": source["from"], "id": new_id(), "t": now}
            for device in owner.linked_devices():
                await device.say(Node("call", stanza, (child,)))
        return call

    async def presence(self, owner: Phone, *, last_s: int | None = None) -> None:
        """Shows the owner that this person is there, or has left at ``last_s``."""
        left = {} if last_s is None else {"type": "unavailable", "last": str(last_s)}
        for device in owner.linked_devices():
            await device.say(node("presence", from_=self.lid, **left))
