"""Plays the service: admits clients, answers their requests, carries messages between people."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from tests.whatsapp_server import prekeys, usync
from tests.whatsapp_server.addresses import GROUPS, LIDS, SERVICE, Jid
from tests.whatsapp_server.connection import Connection, Hello
from tests.whatsapp_server.inbox import Inbox, Receipt
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Attributes, CodecError, Node, node
from tests.whatsapp_server.noise import Identity, NoiseError
from tests.whatsapp_server.pairing import Registration
from tests.whatsapp_server.person import Person
from tests.whatsapp_server.signal_device import Bundle

Answer = Callable[[LinkedDevice, Node], Awaitable[Sequence[Node]]]


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """The service answers a request with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code, self.text = code, text


class Service:
    """Everything that has no face: accounts, registrations, and the lines between them."""

    def __init__(self, identity: Identity) -> None:
        self.registrations: dict[str, Registration] = {}
        self.registered: Inbox[Registration] = Inbox("the service")
        self.unanswered: list[str] = []
        self.faults: list[str] = []
        self._identity = identity
        self._people: dict[str, Person] = {}
        self._connections: set[Connection] = set()
        self._answers: dict[tuple[str, str], Answer] = {
            ("encrypt", "get"): self._prekeys,
            ("encrypt", "set"): self._upload,
            ("passive", "set"): self._nothing,
            ("usync", "get"): self._usync,
            ("w:p", "get"): self._nothing,
            ("privacy", "get"): self._privacy,
            ("privacy", "set"): self._nothing,
            ("md", "set"): self._unlink,
        }

    def add(self, person: Person) -> None:
        """Makes a person known by number and by hidden id."""
        for user in (person.number, person.lid.user):
            if user in self._people:
                raise ValueError(f"{user} is taken by {self._people[user]}")
            self._people[user] = person

    def find(self, jid: Jid) -> Person | None:
        """Whose address this is."""
        person = self._people.get(jid.user)
        expected = person and (person.lid if jid.server == LIDS else person.jid)
        return person if expected == jid.person else None

    async def serve(self, connection: Connection) -> None:
        """Lives through one connection of a client."""
        self._connections.add(connection)
        try:
            hello = await connection.greet(self._identity)
            if 19 in hello.payload:
                await self._register(connection, hello)
            else:
                await self._login(connection, hello)
        except NoiseError as error:
            connection.log.append(f"!! {error}")
        except (CodecError, KeyError, AssertionError, ValueError) as error:
            said = "\n".join(list(connection.log)[-5:])
            self.faults.append(f"{type(error).__name__}: {error}; the last said:\n{said}")
        finally:
            connection.finished()
            self._connections.discard(connection)

    async def close(self) -> None:
        """Cuts every line."""
        for connection in list(self._connections):
            connection.drop()

    # Clients that belong to nobody yet

    async def _register(self, connection: Connection, hello: Hello) -> None:
        registration = Registration(connection, hello)
        self.registrations |= dict.fromkeys(registration.refs, registration)
        try:
            await registration.offer()
            self.registered.put(registration)
            async for stanza in connection.stanzas():
                await self._hear_stranger(registration, stanza)
        finally:
            for ref in registration.refs:
                del self.registrations[ref]

    async def _hear_stranger(self, registration: Registration, stanza: Node) -> None:
        if stanza.tag == "iq" and stanza.get("xmlns") == "w:p":
            await registration.connection.send(_result(stanza, ()))
        elif stanza.tag != "ib" and (stanza.tag, stanza.get("type")) != ("iq", "result"):
            self.unanswered.append(str(stanza))

    # Clients that are linked

    async def _login(self, connection: Connection, hello: Hello) -> None:
        user, index = hello.payload.number(1), hello.payload.number(18)
        person = self._people.get(str(user))
        device = person.linked.get(index) if person else None
        refusal = _refusal(device, hello)
        if device is None or refusal is not None:
            await connection.send(Node("failure", dict(refusal or {})))
            await connection.hang_up()
            return
        if device.connection:
            await device.stream_error(conflict="replaced")
        device.connected(connection)
        try:
            await connection.send(node("success", t=_now(), lid=device.lid))
            async for stanza in connection.stanzas():
                await self._hear(device, stanza)
        finally:
            device.disconnected(connection)

    async def _hear(self, device: LinkedDevice, stanza: Node) -> None:
        match stanza.tag:
            case "iq":
                await self._answer(device, stanza)
            case "message":
                await self._carry(device, stanza)
            case "receipt":
                await self._take_receipt(device, stanza)
            case "ack":
                device.confirmed(stanza)
            case "presence" | "chatstate" | "ib":
                device.said.put(stanza)
            case _:
                self.unanswered.append(str(stanza))

    async def _answer(self, device: LinkedDevice, request: Node) -> None:
        answer = self._answers.get((request.get("xmlns"), request.get("type")))
        try:
            if answer is None:
                self.unanswered.append(str(request))
                raise Refused(501, "feature-not-implemented")
            await device.say(_result(request, await answer(device, request)))
            if request.get("xmlns") == "passive" and request.child("active"):
                await device.activate()
        except Refused as refused:
            error = node("error", code=str(refused.code), text=refused.text)
            await device.say(node("iq", error, from_=SERVICE, type="error", id=request.get("id")))

    async def _prekeys(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        wanted = request.child("key")
        if wanted is None:
            return (prekeys.count(device),)
        return (prekeys.bundles(wanted, self._bundle_of),)

    async def _upload(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        prekeys.upload(device, request)
        return ()

    async def _usync(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        return (usync.answer(request.need("usync"), self.find),)

    async def _privacy(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        names = ("readreceipts", "last", "online", "profile", "status", "groupadd", "calladd")
        return (node("privacy", *(node("category", name=name, value="all") for name in names)),)

    async def _unlink(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        request.need("remove-companion-device")
        device.removed = True
        return ()

    async def _nothing(self, device: LinkedDevice, request: Node) -> Sequence[Node]:
        return ()

    def _bundle_of(self, jid: Jid) -> Bundle | None:
        person = self.find(jid.person)
        if person is None:
            return None
        if jid.device == 0:
            return person.device.bundle()
        linked = person.linked.get(jid.device)
        return linked.bundle() if linked and not linked.removed else None

    # Messages and receipts of clients

    async def _carry(self, device: LinkedDevice, stanza: Node) -> None:
        """Takes a client's message: an ack for it, and a copy for each device it names."""
        to, number = stanza.jid("to"), stanza.get("id")
        ack: Attributes = {"class": "message", "id": number, "from": to, "t": _now()}
        if device.refuse_sends:
            await device.say(Node("ack", {**ack, "error": device.refuse_sends.pop(0)}))
            return
        for target, enc in _copies(stanza):
            await self._pass_on(device, target, enc, stanza)
        if device.drops_before_ack:
            device.drops_before_ack -= 1
            device.drop()
            return
        await device.say(Node("ack", ack))

    async def _pass_on(self, device: LinkedDevice, target: Jid, enc: Node, stanza: Node) -> None:
        person = self.find(target.person)
        if person is None:
            raise CodecError(f"a message for nobody: {target}")
        if target.device == 0:
            await person.hear(device, stanza.jid("to").person, enc, stanza)
        elif linked := person.linked.get(target.device):
            await linked.deliver(_forwarded(device, enc, stanza))

    async def _take_receipt(self, device: LinkedDevice, stanza: Node) -> None:
        device.confirmed(stanza)
        to, kind = stanza.jid("to"), stanza.get("type") or "delivered"
        ack = node("ack", class_="receipt", id=stanza.get("id"), from_=to)
        kept = {"type": stanza.get("type")} if stanza.get("type") else {}
        await device.say(Node("ack", {**ack.attributes, **kept}))
        person = self.find(to.person)
        if person is None:
            if to.server != GROUPS:
                self.faults.append(f"a receipt for nobody: {stanza}")
            return
        for number in _ids(stanza):
            person.receipts.put(Receipt(number, kind, device.lid, stanza))
        if kind == "retry":
            await person.resend(device, stanza)


def _refusal(device: LinkedDevice | None, hello: Hello) -> dict[str, str] | None:
    """Why a client may not come in."""
    if device is None or device.removed:
        return {"reason": "401", "location": "test"}
    if device.registered.static != hello.static:
        return {"reason": "401", "location": "another-noise-key"}
    refusal, device.refuse_login = device.refuse_login, None
    return refusal


def _copies(stanza: Node) -> list[tuple[Jid, Node]]:
    """Each device that a message names, with what is encrypted for it."""
    direct = stanza.child("enc")
    participants = stanza.child("participants")
    named = participants.children if participants else ()
    copies = [(to.jid("jid"), to.need("enc")) for to in named]
    if direct and not named:
        copies.append((stanza.jid("to"), direct))
    return copies


def _forwarded(device: LinkedDevice, enc: Node, stanza: Node) -> Node:
    """A client's message as another client gets it."""
    return node(
        "message",
        enc,
        from_=device.lid,
        sender_pn=device.jid,
        addressing_mode="lid",
        id=stanza.get("id"),
        type=stanza.get("type"),
        t=_now(),
    )


def _ids(stanza: Node) -> list[str]:
    listed = [item.get("id") for items in stanza.all("list") for item in items.all("item")]
    return [stanza.get("id"), *listed]


def _result(request: Node, children: Sequence[Node]) -> Node:
    return node("iq", *children, from_=SERVICE, type="result", id=request.get("id"))


def _now() -> str:
    return str(int(time.time()))
