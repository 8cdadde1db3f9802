"""Carries stanzas over one client's WebSocket: frames, handshake, encryption."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from tests.whatsapp_server.addresses import SERVICE
from tests.whatsapp_server.inbox import PATIENCE_S
from tests.whatsapp_server.node import Attribute, Node, decode, encode, node
from tests.whatsapp_server.noise import PROLOGUE, Cipher, Identity, NoiseError, Responder
from tests.whatsapp_server.protobuf import Fields

_COME_AGAIN = ("500", "503")


@dataclass(frozen=True, slots=True)
class Hello:
    """Who connected: the client's static Noise key and its login payload."""

    static: bytes
    payload: Fields


class Connection:
    """One WebSocket of a client, after ``greet`` a stream of stanzas both ways."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.closed = asyncio.Event()
        self.log: deque[str] = deque(maxlen=200)
        self._socket = socket
        self._request = request
        self._buffer = b""
        self._incoming: Cipher | None = None
        self._outgoing: Cipher | None = None
        self._turn = asyncio.Lock()
        self._ids = (f"server-{number}" for number in itertools.count(1))
        self._answers: dict[str, asyncio.Future[Node]] = {}

    async def greet(self, identity: Identity) -> Hello:
        """Plays the handshake. Raises ``NoiseError`` if the client does not take part."""
        responder = Responder(identity)
        first = await self._frame()
        await self._write(responder.hello(first))
        static, payload = responder.finish(await self._frame())
        self._incoming, self._outgoing = responder.split()
        return Hello(static, Fields(payload))

    async def stanzas(self) -> AsyncIterator[Node]:
        """What the client says, until it hangs up; answers to ``ask`` are not among it."""
        assert self._incoming, "greet first"
        while (frame := await self._next_frame()) is not None:
            stanza = decode(self._incoming.decrypt(frame))
            self.log.append(f"<- {stanza}")
            waiting = self._answers.pop(stanza.get("id"), None) if stanza.tag == "iq" else None
            if waiting and not waiting.done():
                waiting.set_result(stanza)
            else:
                yield stanza

    async def send(self, stanza: Node) -> None:
        """Says something. A client that hung up meanwhile hears nothing, which is no error."""
        async with self._turn:
            if self._outgoing and not self._socket.closed:
                self.log.append(f"-> {stanza}")
                await self._write(self._outgoing.encrypt(encode(stanza)))

    async def send_garbage(self, plaintext: bytes, *, sealed: bool = True) -> None:
        """Says what is no stanza: properly encrypted, or damaged on the way as well."""
        async with self._turn:
            assert self._outgoing, "greet first"
            frame = self._outgoing.encrypt(plaintext)
            await self._write(frame if sealed else frame[:-1] + bytes([frame[-1] ^ 1]))

    async def ask(self, *children: Node, **attributes: Attribute) -> Node:
        """Sends an ``iq`` and waits for the client's answer."""
        number = next(self._ids)
        answer: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self.send(node("iq", *children, from_=SERVICE, id=number, **attributes))
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    async def tell(self, *children: Node, **attributes: Attribute) -> None:
        """Sends an ``iq`` whose answer comes among the stanzas."""
        number = next(self._ids)
        await self.send(node("iq", *children, from_=SERVICE, id=number, **attributes))

    async def refuse(self, attributes: Mapping[str, str]) -> None:
        """Says ``<failure>`` and ends the line.

        Only what the client should answer by coming again is closed from here. Of the rest the
        client takes leave itself: a close that overtook the reason would look like a lost network.
        """
        await self.send(Node("failure", dict(attributes)))
        if attributes.get("reason") in _COME_AGAIN:
            await self.hang_up()
        while await self._next_frame() is not None:
            pass

    def drop(self) -> None:
        """Cuts the line without a word, as a network does."""
        if self._request.transport:
            self._request.transport.abort()

    async def hang_up(self) -> None:
        """Closes the WebSocket politely."""
        await self._socket.close()

    def finished(self) -> None:
        """Says that the client is gone: whoever waits for an answer learns it."""
        self.closed.set()
        for waiting in self._answers.values():
            waiting.cancel()

    async def _frame(self) -> bytes:
        frame = await self._next_frame()
        if frame is None:
            raise NoiseError("the client hung up during the handshake")
        return frame

    async def _next_frame(self) -> bytes | None:
        while len(self._buffer) < 3 or len(self._buffer) < 3 + self._announced():
            message = await self._socket.receive()
            if message.type is not WSMsgType.BINARY:
                return None
            data: bytes = message.data
            self._buffer += data.removeprefix(PROLOGUE) if self._incoming is None else data
        size = self._announced()
        frame, self._buffer = self._buffer[3 : 3 + size], self._buffer[3 + size :]
        return frame

    def _announced(self) -> int:
        return int.from_bytes(self._buffer[:3], "big")

    async def _write(self, data: bytes) -> None:
        try:
            await self._socket.send_bytes(len(data).to_bytes(3, "big") + data)
        except ConnectionError:
            self.log.append("-> (the client is gone)")
