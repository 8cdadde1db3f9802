"""The two ends the pretended amoCRM talks to: a signing client, and a receiver of hooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.demo.pretended_amocrm.signing import md5_of, signature_of

DATE = "Tue, 03 Feb 2026 10:15:30 +0000"
NOW_MS = 1_770_113_730_000
"""The moment of DATE, at which the servers of these tests live."""

PHONE = "+79991234567"


class Clock:
    """A clock moved by hand."""

    def __init__(self, ms: int = NOW_MS) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Signs requests rightly, unless a test spoils a header."""

    def __init__(self, server: PretendedAmoCRM, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.date = DATE

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        spoil: Mapping[str, str | None] | None = None,
        timeout_s: float = 10.0,
    ) -> Answered:
        """Send `body` (bytes as they are, else as JSON) to a path below the base."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        target = f"/v2/origin/custom/{path}"
        headers = self.signed(method, target.partition("?")[0], sent)
        for name, value in (spoil or {}).items():
            headers.pop(name)
            if value is not None:
                headers[name] = value
        return await self.send(method, target, sent, headers, timeout_s=timeout_s)

    def signed(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """The four headers."""
        parts = {
            "content_md5": md5_of(body),
            "content_type": "application/json",
            "date": self.date,
        }
        signature = signature_of(self.server.identity.channel_secret, method, path, **parts)
        return {
            "Date": self.date,
            "Content-Type": "application/json",
            "Content-MD5": parts["content_md5"],
            "X-Signature": signature,
        }

    async def send(
        self,
        method: str,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float = 10.0,
    ) -> Answered:
        """Send these bytes with these headers and no others of weight."""
        async with self.session.request(
            method,
            self.server.url + target,
            data=body or None,
            headers=headers,
            skip_auto_headers=("Content-Type",),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as answer:
            return Answered(answer.status, await answer.read(), answer.headers.copy())

    async def rest(
        self, method: str, path: str, body: object = None, token: str | None = None
    ) -> Answered:
        """Call REST with the right token, or another."""
        token = token or self.server.identity.token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        sent = json.dumps(body).encode() if body is not None else b""
        return await self.send(method, f"/api/v4/{path}", sent, headers)

    async def connect(self, **fields: object) -> Answered:
        """Connect, with version 2 of hooks unless told otherwise."""
        identity = self.server.identity
        body = {"account_id": identity.amojo_id, "hook_api_version": "v2", **fields}
        body = {name: value for name, value in body.items() if value is not None}
        return await self.call("POST", f"{identity.channel_id}/connect", body)

    async def message(self, msgid: object = "m-1", **fields: object) -> Answered:
        """Send a new message of a client, with these payload fields replaced (None: left out)."""
        return await self.post(new_message(msgid, **fields))

    async def post(self, body: object, **how: Any) -> Answered:
        """Post to the scope."""
        return await self.call("POST", self.server.account.scope_id, body, **how)

    async def in_scope(self, path: str, body: object) -> Answered:
        """Post to a path below the scope."""
        return await self.call("POST", f"{self.server.account.scope_id}/{path}", body)


@asynccontextmanager
async def talking(server: PretendedAmoCRM) -> AsyncIterator[Client]:
    """A client of `server` with a session of its own."""
    async with aiohttp.ClientSession() as session:
        yield Client(server, session)


CLIENT = {"id": "wa-79991234567", "name": "Ivan", "profile": {"phone": PHONE}}
MANAGER = {"id": "emp-17", "name": "Olga", "ref_id": "bbbbbbbb-0000-4000-8000-000000000017"}


def new_message(msgid: object = "m-1", **fields: object) -> dict[str, Any]:
    """A right new_message of a client, with these payload fields replaced (None: left out)."""
    payload = {
        "timestamp": NOW_MS // 1000,
        "msec_timestamp": NOW_MS,
        "msgid": msgid,
        "conversation_id": "wa-79991234567",
        "silent": False,
        "sender": CLIENT,
        "message": {"type": "text", "text": "hello"},
        **fields,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    return {"event_type": "new_message", "payload": payload}


@dataclass
class Receiver:
    """Receives hooks; answers `status` once `let_go` is set."""

    status: int = 200
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.got.append((request.path, await request.read(), request.headers.copy()))
        self.arrived.set()
        await self.let_go.wait()
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})

    @property
    def hooks(self) -> list[Any]:
        return [json.loads(body) for _, body, _ in self.got]


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[str]:
    """Listen; gives the address to send hooks to."""
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/amocrm/hook/:scope_id"
    finally:
        receiver.let_go.set()
        await runner.cleanup()
