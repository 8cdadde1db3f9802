"""The pretended amoCRM as a whole: one loopback server that is account host and amojo in one."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from types import TracebackType
from typing import Self

from aiohttp import web

from relay.demo.pretended_amocrm.attachments import BASE as ATTACHMENTS
from relay.demo.pretended_amocrm.attachments import Attachments
from relay.demo.pretended_amocrm.call import Call, Reply
from relay.demo.pretended_amocrm.chats_api import ChatsApi
from relay.demo.pretended_amocrm.desk import Desk
from relay.demo.pretended_amocrm.door import Door, reset
from relay.demo.pretended_amocrm.hook_sender import HookSender, HookUrl
from relay.demo.pretended_amocrm.identity import Identity
from relay.demo.pretended_amocrm.oauth import OAuth
from relay.demo.pretended_amocrm.quirks import Quirks
from relay.demo.pretended_amocrm.registry import Registry
from relay.demo.pretended_amocrm.rest_api import RestApi
from relay.demo.pretended_amocrm.signing import RequestSignature
from relay.demo.pretended_amocrm.stage import Stage
from relay.demo.pretended_amocrm.state import Message
from relay.demo.pretended_amocrm.ui import BASE as UI_BASE
from relay.demo.pretended_amocrm.ui import Ui
from relay.demo.pretended_amocrm.waiting import Changes

_LARGEST_BODY = 32 * 1024 * 1024


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _random_id() -> str:
    return str(uuid.uuid4())


class PretendedAmoCRM:
    """A strict amoCRM with one account and one channel.

    Args:
        identity: The ids and secrets of account and channel.
        hook_url: Where hooks go; ``:scope_id`` in it stands for the scope. May be set later
            (`sender.url`).
        quirks: One reading of what the documents leave open.
        strict: False skips signatures, headers and shapes of the chats API: a sink for benchmarks.
        now_ms: The server's clock, milliseconds since the epoch.
        sleep: How `Slow` faults wait.
        new_id: Where amojo's ids come from.

    Read `account` for what it knows, `violations` for what a client did wrong, `hooks` for what
    was sent; put trouble into `faults`. `attachments` has managers' files, and fetches ours.
    """

    def __init__(
        self,
        identity: Identity | None = None,
        *,
        hook_url: HookUrl = None,
        quirks: Quirks | None = None,
        strict: bool = True,
        now_ms: Callable[[], int] = _wall_clock_ms,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        new_id: Callable[[], str] = _random_id,
    ) -> None:
        self.identity = identity or Identity()
        self.quirks = quirks or Quirks()
        self.account = self.identity.account()
        self.date_skew_ms = 0
        self._now_ms = now_ms
        self._changes = Changes()
        self._stage = Stage(now_ms, sleep, self._changes.changed)
        self.faults = self._stage.faults
        self.violations = self._stage.violations
        self.requests = self._stage.requests
        registry = Registry(self.account, self.quirks, now_ms, new_id, self._stage.note)
        secret = self.identity.channel_secret
        self.sender = HookSender(self.account, secret, hook_url, now_ms, self._changes.changed)
        self.hooks = self.sender.hooks
        signature = RequestSignature(secret)
        self._chats = ChatsApi(registry, signature, self.identity.channel_title, strict=strict)
        self.oauth = OAuth(self.identity.integration_id, self.identity.integration_secret, now_ms)
        self.rest = RestApi(
            self.account,
            now_ms,
            self.identity.token,
            self.oauth,
            token_is_admin=self.identity.token_is_admin,
        )
        self.attachments = Attachments(self.identity.token, self._stage.note)
        self.ui = Ui(self.account, self.identity, now_ms, new_id)
        self._act(Desk(registry, self.sender, self.identity.robot_id))
        self._door: Door | None = None
        self._in_hand: set[asyncio.Task[object]] = set()
        self._echoes: set[asyncio.Task[object]] = set()

    def _act(self, desk: Desk) -> None:
        """What may be done inside the CRM is done on the server itself: see `Desk`."""
        self.write = desk.write
        self.write_as_robot = desk.write_as_robot
        self.write_first = desk.write_first
        self.typing = desk.typing
        self.reaction = desk.reaction
        self.raw_hook = desk.raw_hook
        self.echo = desk.echo

    @property
    def port(self) -> int:
        """The port, the same from start to stop; RuntimeError before."""
        if self._door is None:
            raise RuntimeError("the pretended amoCRM is not running")
        return self._door.port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:…``: serves both as the account's host and as amojo's."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; 0 picks a free port."""
        self.sender.open()
        server = web.Server(self._handle, access_log=None)
        self._door = Door(server)
        await self._door.open(port)
        self.rest.base_url = self.url
        self.oauth.referer = self.oauth.referer or f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Leave, with every connection reset and every hook under way lost."""
        await self._let_go(self._in_hand | self._echoes)
        if self._door is not None:
            await self._door.give_up()
            self._door = None
        await self.sender.close()

    async def go_down(self) -> None:
        """Refuse connections from now on, and reset those that are open; nothing is forgotten."""
        await self._let_go(self._in_hand)
        if self._door is not None:
            await self._door.close()

    async def come_up(self) -> None:
        """Listen again, on the same port."""
        if self._door is not None:
            await self._door.open()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def wait_for(
        self, predicate: Callable[[PretendedAmoCRM], bool], within_s: float = 10.0
    ) -> None:
        """Return once `predicate` holds; it is asked after every change, never in between.

        Raises TimeoutError after `within_s` seconds.
        """
        await self._changes.wait_for(lambda: predicate(self), within_s)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change; the function returned ends that."""
        return self._changes.listen(listener)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine of the server runs in a task
        self._in_hand.add(task)
        try:
            body = await _read(request)
            headers = tuple(request.headers.items())
            call = Call(request.method, request.raw_path, headers, body)
            if call.path.startswith(UI_BASE):
                return self._response(self.ui.answer(call, self.url))
            if call.path.startswith(ATTACHMENTS):
                return self._response(self.attachments.answer(call))
            reply = await self._stage.play(call, self._chats, self.rest)
        finally:
            self._in_hand.discard(task)
        if reply is None:
            if request.transport is not None:
                reset(request.transport)
            return web.Response(status=500)
        await self._echo(reply.message)
        return self._response(reply)

    def _response(self, reply: Reply) -> web.Response:
        date = formatdate((self._now_ms() + self.date_skew_ms) / 1000, usegmt=True)
        headers = {"Date": date, **dict(reply.headers)}
        if reply.body:
            headers["Content-Type"] = reply.content_type
        return web.Response(status=reply.status, body=reply.body, headers=headers)

    async def _echo(self, message: Message | None) -> None:
        """Send a hook for an import, before its answer or beside it, if that is the reading."""
        if message is None or message.hook is not None:
            return
        when = {"user": "after" if self.quirks.echo_of_users else "never"}
        when["bot"] = self.quirks.echo_of_bot
        match when.get(message.author.kind):
            case "before":
                await self.echo(message)
            case "after":
                task: asyncio.Task[object] = asyncio.create_task(self.echo(message), name="echo")
                self._echoes.add(task)
                task.add_done_callback(self._echoes.discard)

    @staticmethod
    async def _let_go(tasks: set[asyncio.Task[object]]) -> None:
        left = [task for task in tasks if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _read(request: web.BaseRequest) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(_LARGEST_BODY, len(body))
    return bytes(body)
