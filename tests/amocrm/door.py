"""The door for hooks on a real port, among doubles, for the tests that knock at it."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from relay.amocrm.protocol import sign_hook
from relay.amocrm.webhook import PATH, HookDoor
from tests.amocrm.doubles import SCOPE, SECRET, FakeHandOver, FakeScope, HandClock, holder

SOON_S = 0.05  # for senders that never finish


class Scene:
    """A door among its doubles, on a real port."""

    def __init__(self, *, read_timeout_s: float = 5.0) -> None:
        self.scope = FakeScope()
        self.held = holder()
        self.hand_over = FakeHandOver()
        self.clock = HandClock()
        self.door = HookDoor(
            self.scope, self.held, self.hand_over, self.clock, read_timeout_s=read_timeout_s
        )
        self.session: aiohttp.ClientSession
        self.port = 0

    async def post(
        self, body: bytes, signature: str | None = None, scope_id: str = SCOPE
    ) -> aiohttp.ClientResponse:
        if signature is None:
            signature = sign_hook(body, SECRET)
        async with self.session.post(
            f"http://127.0.0.1:{self.port}/amocrm/hook/{scope_id}",
            data=io.BytesIO(body),
            headers={"X-Signature": signature},
        ) as response:
            assert await response.read() == b""
            return response

    async def raw(self, request: bytes, later: bytes = b"") -> bytes:
        """Send these bytes, and ``later`` once the door has looked at them; all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        if later:
            await self.scope.asked.wait()
            writer.write(later)
        try:
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def open_door(*, read_timeout_s: float = 5.0) -> AsyncIterator[Scene]:
    scene = Scene(read_timeout_s=read_timeout_s)
    app = web.Application()
    app.router.add_post(PATH, scene.door.handle)
    runner = web.AppRunner(app, access_log=None, lingering_time=SOON_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as session:
            scene.port, scene.session = runner.addresses[0][1], session
            yield scene
    finally:
        await runner.cleanup()


def head(length: int, signature: str = "") -> bytes:
    return (
        f"POST /amocrm/hook/{SCOPE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"X-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


CHUNKED = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
