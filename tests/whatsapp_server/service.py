"""Plays the service: admits clients, and lives through their connections."""

from __future__ import annotations

from tests.whatsapp_server.addresses import SERVICE
from tests.whatsapp_server.answers import Answers, result
from tests.whatsapp_server.code_pairing import CodeRequest
from tests.whatsapp_server.connection import Connection, Hello
from tests.whatsapp_server.directory import Directory
from tests.whatsapp_server.inbox import Inbox
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.media import MediaHost
from tests.whatsapp_server.node import CodecError, Node, node
from tests.whatsapp_server.noise import Identity, NoiseError
from tests.whatsapp_server.pairing import Registration
from tests.whatsapp_server.phone import Phone
from tests.whatsapp_server.protobuf import WireError
from tests.whatsapp_server.routing import Router, now


class Service:
    """Everything that has no face: registrations, logins, and the lines to clients."""

    def __init__(self, identity: Identity) -> None:
        self.directory = Directory()
        self.media = MediaHost()
        self.answers = Answers(self.directory, self.media)
        self.router = Router(self.directory)
        self.registrations: dict[str, Registration] = {}
        self.registered: Inbox[Registration] = Inbox("the service")
        self.refuse_registrations: dict[str, str] | None = None
        self.faults: list[str] = []
        self.identity = identity
        self._connections: set[Connection] = set()

    async def serve(self, connection: Connection) -> None:
        """Lives through one connection of a client."""
        self._connections.add(connection)
        try:
            hello = await connection.greet(self.identity)
            if 19 in hello.payload:
                await self._register(connection, hello)
            else:
                await self._login(connection, hello)
        except NoiseError as error:
            connection.log.append(f"!! {error}")
        except (CodecError, WireError, KeyError, AssertionError, ValueError) as error:
            said = "\n".join(list(connection.log)[-5:])
            self.faults.append(f"{type(error).__name__}: {error}; the last said:\n{said}")
        finally:
            connection.finished()
            self._connections.discard(connection)

    def drop_all(self) -> None:
        """Cuts every line."""
        for connection in list(self._connections):
            connection.drop()

    # Clients that belong to nobody yet

    async def _register(self, connection: Connection, hello: Hello) -> None:
        if self.refuse_registrations is not None:
            await connection.refuse(self.refuse_registrations)
            return
        registration = Registration(connection, hello)
        self.registrations |= dict.fromkeys(registration.refs, registration)
        try:
            await registration.offer()
            self.registered.put(registration)
            async for stanza in connection.stanzas():
                await self._hear_stranger(registration, stanza)
        finally:
            for ref in registration.refs:
                self.registrations.pop(ref, None)

    async def _hear_stranger(self, registration: Registration, stanza: Node) -> None:
        match stanza.tag, stanza.get("type"), stanza.get("xmlns"):
            case ("iq", "get", "w:p"):
                await registration.connection.send(result(stanza, ()))
            case ("iq", "set", "md") if code := stanza.child("link_code_companion_reg"):
                await self._link_by_code(registration, stanza, code)
            case ("iq", "result" | "error", _) | ("ib" | "ack", _, _):
                return
            case _:
                self.answers.unanswered.append(str(stanza))

    async def _link_by_code(self, registration: Registration, request: Node, code: Node) -> None:
        if code.get("stage") == "companion_finish":
            await registration.connection.send(result(request, ()))
            for waiting in self._code_requests(registration):
                waiting.finished.set_result(code)
            return
        asked = CodeRequest.read(registration, code)
        owner = self.directory.find(asked.number)
        if not isinstance(owner, Phone):
            error = node("error", code="404", text="item-not-found")
            answer = node("iq", error, from_=SERVICE, type="error", id=request.get("id"))
            await registration.connection.send(answer)
            return
        await registration.connection.send(result(request, (asked.reference(),)))
        owner.code_requests.put(asked)

    def _code_requests(self, registration: Registration) -> list[CodeRequest]:
        phones = [p for p in self.directory.everybody() if isinstance(p, Phone)]
        asked = [request for phone in phones for request in phone.code_requests.history]
        return [r for r in asked if r.registration is registration and not r.finished.done()]

    # Clients that are linked

    async def _login(self, connection: Connection, hello: Hello) -> None:
        device = self.directory.owner(hello.payload.number(1), hello.payload.number(18))
        refusal = _refusal(device, hello)
        if device is None or refusal is not None:
            await connection.refuse(refusal or {})
            return
        if device.connection:
            await device.stream_error(conflict="replaced")
        device.connected(connection)
        try:
            await connection.send(node("success", t=now(), lid=device.lid))
            async for stanza in connection.stanzas():
                # A line that was replaced says nothing more, whatever still comes from it.
                if device.connection is connection:
                    await self._hear(device, stanza)
        finally:
            device.disconnected(connection)

    async def _hear(self, device: LinkedDevice, stanza: Node) -> None:
        match stanza.tag:
            case "iq":
                await self.answers.answer(device, stanza)
            case "message":
                await self.router.carry(device, stanza)
            case "receipt":
                await self.router.take_receipt(device, stanza)
            case "ack":
                device.confirmed(stanza)
            case "presence" | "chatstate" | "ib" | "call":
                device.said.put(stanza)
            case _:
                self.answers.unanswered.append(str(stanza))


def _refusal(device: LinkedDevice | None, hello: Hello) -> dict[str, str] | None:
    """Why a client may not come in."""
    if device is None or device.removed:
        return {"reason": "401", "location": "test"}
    if device.registered.static != hello.static:
        return {"reason": "401", "location": "another-noise-key"}
    if device.refuse_logins:
        return device.refuse_logins.pop(0)
    return None
