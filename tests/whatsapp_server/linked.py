"""Keeps what the service knows of one linked device: its keys, its queue and its connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.whatsapp_server.addresses import SERVICE, Jid
from tests.whatsapp_server.connection import Connection
from tests.whatsapp_server.inbox import PATIENCE_S, Inbox
from tests.whatsapp_server.node import Attribute, Node, node
from tests.whatsapp_server.signal_device import Bundle, PublicPrekey

_COME_AGAIN = (500, 503)
_FEW_PREKEYS = 10


@dataclass(frozen=True, slots=True)
class Registered:
    """What a client told when it asked to be linked."""

    static: bytes
    registration_id: int
    identity: bytes
    signed: PublicPrekey


class LinkedDevice:
    """A real client linked to somebody's account.

    ``jid`` and ``lid`` are its two addresses, ``said`` its presence and typing, ``logins`` how
    often it came. While ``silent`` is set its messages are delivered and never acknowledged.
    """

    def __init__(self, jid: Jid, lid: Jid, registered: Registered) -> None:
        self.jid = jid
        self.lid = lid
        self.registered = registered
        self.said: Inbox[Node] = Inbox(f"the service, of {jid}")
        self.settings_asked: Inbox[str] = Inbox(f"the settings, of {jid}")
        self.removed = False
        self.connection: Connection | None = None
        self.active = False
        self.logins = 0
        self.refuse_logins: list[dict[str, str]] = []
        self.refuse_requests: dict[str, int] = {}
        self.pictures_asked: list[str] = []
        self.drops_at_requests: list[str] = []
        self.silent = False
        self.drops_undelivered = 0
        self.refuse_sends: list[str] = []
        self.drops_before_ack = 0
        self._one_time: dict[int, bytes] = {}
        self._queue: dict[tuple[str, str, str], Node] = {}
        self._changed = asyncio.Event()

    # The client's keys

    @property
    def prekeys_left(self) -> int:
        return len(self._one_time)

    def one_time_prekeys(self) -> dict[int, bytes]:
        """A copy of the one-time prekeys that nobody used."""
        return dict(self._one_time)

    def upload(self, identity: bytes, signed: PublicPrekey, one_time: dict[int, bytes]) -> None:
        """Takes new prekeys; the identity must be the one that was linked."""
        assert identity == self.registered.identity, "the client changed its identity"
        self.registered = replace(self.registered, signed=signed)
        self._one_time |= one_time
        self._tell()

    def bundle(self) -> Bundle:
        """What somebody needs to write to this device; its one-time prekey is used up."""
        number = next(iter(self._one_time), None)
        one_time = PublicPrekey(number, self._one_time.pop(number)) if number is not None else None
        known = self.registered
        return Bundle(known.registration_id, known.identity, known.signed, one_time)

    async def ask_for_prekeys(self) -> None:
        """Tells the client that few one-time prekeys are left, so that it uploads more."""
        left = node("count", value=str(len(self._one_time)))
        news = {"type": "encrypt", "id": f"prekeys-{len(self._one_time)}"}
        if len(self._one_time) < _FEW_PREKEYS:
            await self.deliver(node("notification", left, from_=SERVICE, **news))

    def use_up_prekeys(self, left: int = 0) -> None:
        """Throws one-time prekeys away, as if many people had begun to write."""
        self._one_time = dict(list(self._one_time.items())[:left])

    # The queue: a stanza stays until the client has confirmed it

    @property
    def waiting(self) -> list[Node]:
        """What the client has not confirmed, oldest first."""
        return list(self._queue.values())

    async def deliver(self, stanza: Node) -> None:
        """Hands the client a message, receipt or notification now, or when it comes back."""
        self._queue[_key(stanza)] = stanza
        if self.active and self.connection:
            await self.connection.send(stanza)

    def confirmed(self, stanza: Node) -> None:
        """Forgets what the client's ``receipt`` or ``ack`` speaks of."""
        name = "message" if stanza.tag == "receipt" else stanza.get("class")
        kind = "" if name == "message" else stanza.get("type")
        listed = [item.get("id") for items in stanza.all("list") for item in items.all("item")]
        for number in (stanza.get("id"), *listed):
            self._queue.pop((name, number, kind), None)
        self._tell()

    async def activate(self) -> None:
        """The client wants its messages: everything that waited, in order, then the live ones."""
        waiting = self.waiting
        self.active = True
        for stanza in waiting:
            await self.say(replace(stanza, attributes={**stanza.attributes, "offline": "0"}))
        await self.say(node("ib", node("offline", count=str(len(waiting)))))
        self._tell()

    # The connection

    async def say(self, stanza: Node) -> None:
        """Sends something that nobody confirms; lost if the client is away."""
        if self.connection:
            await self.connection.send(stanza)

    def connected(self, connection: Connection) -> None:
        self.connection, self.active = connection, False
        self.logins += 1
        self._tell()

    def disconnected(self, connection: Connection) -> None:
        if self.connection is connection:
            self.connection, self.active = None, False
        self._tell()

    async def online(self) -> None:
        """Waits until the client is logged in and takes messages."""
        await self.until(lambda: self.active, "be online")

    async def offline(self) -> None:
        """Waits until the client is gone."""
        await self.until(lambda: self.connection is None, "be offline")

    async def drained(self) -> None:
        """Waits until the client has confirmed everything."""
        await self.until(lambda: not self._queue, "confirm everything")

    async def settled(self) -> None:
        """Waits until the client has taken over the settings that its phone last announced.

        It asks for them in a known order: who asks for ``regular`` has applied all names.
        """
        await self.settings_asked.take(lambda name: name == "regular", what="the settings taken")

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until something about this device holds. Raises ``TimeoutError`` saying what."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            log = "\n".join(self.connection.log) if self.connection else "no connection"
            raise TimeoutError(f"{self.jid} did not {what}\n{log}") from None

    def _tell(self) -> None:
        self._changed.set()

    # Failures on demand

    def drop(self) -> None:
        """Cuts the line without a word."""
        if self.connection:
            self.connection.drop()

    def fail_next_login(self, reason: int, **attributes: str) -> None:
        """Answers the next login with ``<failure reason=…>``; see ``fail`` for now."""
        self.refuse_logins.append({"reason": str(reason), **attributes})

    def refuse_next_send(self, error: int) -> None:
        """Acknowledges the next message of the client with an error."""
        self.refuse_sends.append(str(error))

    def refuse_next_request(self, namespace: str, code: int) -> None:
        """Answers the next request of a kind (``usync``, ``encrypt``…) with an error."""
        self.refuse_requests[namespace] = code

    def drop_at_next_request(self, namespace: str) -> None:
        """Cuts the line instead of answering the next request of a kind (``usync``…)."""
        self.drops_at_requests.append(namespace)

    def drop_before_next_ack(self, *, delivered: bool = True) -> None:
        """Cuts the line instead of acknowledging the next message, delivered or lost before."""
        if delivered:
            self.drops_before_ack += 1
        else:
            self.drops_undelivered += 1

    async def crash(self) -> None:
        """Makes the library of neonize 0.5.2 panic, which ends the client's whole process."""
        if self.connection:
            await self.connection.send_garbage(b"")

    async def fail(self, reason: int, **attributes: str) -> None:
        """Says ``<failure reason=…>`` on the running connection."""
        await self._part(Node("failure", {"reason": str(reason), **attributes}), reason)

    async def stream_error(self, code: int | None = None, conflict: str | None = None) -> None:
        """Says ``<stream:error>``: ``conflict`` is ``replaced`` or ``device_removed``."""
        attributes: dict[str, Attribute] = {} if code is None else {"code": str(code)}
        children = () if conflict is None else (node("conflict", type=conflict),)
        if conflict == "device_removed":
            self.removed = True
        await self._part(Node("stream:error", attributes, children or None), code)

    async def _part(self, farewell: Node, code: int | None) -> None:
        """Ends the talk; closes only if the client should come again (see ``refuse``)."""
        connection, self.connection, self.active = self.connection, None, False
        if connection:
            await connection.send(farewell)
            if code in _COME_AGAIN:
                await connection.hang_up()
        self._tell()


def _key(stanza: Node) -> tuple[str, str, str]:
    kind = "" if stanza.tag == "message" else stanza.get("type")
    return stanza.tag, stanza.get("id"), kind
