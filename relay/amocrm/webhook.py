"""The door for amoCRM's hooks: ``POST /amocrm/hook/{scope_id}``.

amoCRM sends a hook once, waits five seconds and wants exactly 200, so nothing is done here but to
look and to keep. In this order, cheapest and least trusting first:

    404  the scope is not ours
    413  more than 4 MiB          408  the body did not come in time
    403  not signed with our secret
    400  not a JSON object
    503  not kept: the disk refused; with Retry-After
    200  kept on disk
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.hooks import is_v1, parse_hook
from relay.amocrm.protocol import verify_hook
from relay.delivery.ports import Clock, HandOver
from relay.delivery.store import StoreRefusedError
from relay.domain.retry import MINUTE

PATH: Final = "/amocrm/hook/{scope_id}"
LONGEST_HOOK: Final = 4 * 1024 * 1024
READ_TIMEOUT_S: Final = 4.0
"""amoCRM itself gives up after five seconds."""

RETRY_AFTER_S: Final = 5
_QUIET_MS: Final = MINUTE  # between two log lines about refused hooks of one kind

_log = structlog.get_logger()


class Scope(Protocol):
    """The channel's connection, as far as the door needs it."""

    @property
    def scope_id(self) -> str | None:
        """The scope; None until it is known."""
        ...

    def reconnect(self) -> None:
        """Ask for a new connect."""
        ...


class _RefusalError(Exception):
    """The hook is not taken; the reason is for the log, the sender gets the number alone."""

    def __init__(self, status: int, reason: str, *, close: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.close = close


class HookDoor:
    """Takes hooks in. :meth:`handle` is the aiohttp handler."""

    def __init__(
        self,
        connection: Scope,
        credentials: CredentialsHolder,
        hand_over: HandOver,
        clock: Clock,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._connection = connection
        self._credentials = credentials
        self._hand_over = hand_over
        self._clock = clock
        self._read_timeout_s = read_timeout_s
        self._refused: dict[int, int] = {}
        self._spoke_ms: dict[int, int] = {}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one hook; never 500 and never a word of what went wrong."""
        try:
            await self._take(request)
        except _RefusalError as refusal:
            self._tell(refusal.status, refusal.reason)
            return _answer(refusal.status, close=refusal.close)
        except StoreRefusedError as error:
            self._tell(503, str(error))
            return _answer(503)
        except Exception as error:  # noqa: BLE001 - the sender must get an answer it may act upon
            self._tell(503, f"internal error: {type(error).__name__}")
            return _answer(503)
        return web.Response()

    async def _take(self, request: web.Request) -> None:
        now = self._credentials.current
        if not self._is_ours(request.match_info["scope_id"], now.channel_id):
            raise _RefusalError(404, "unknown scope")
        body = await self._body(request)
        if not verify_hook(body, request.headers.get("X-Signature", ""), now.secret):
            raise _RefusalError(403, "bad signature")
        try:
            hook = parse_hook(body)
        except ValueError as error:
            raise _RefusalError(400, "not a JSON object") from error
        await self._hand_over(body)
        if is_v1(hook):
            self._connection.reconnect()

    def _is_ours(self, scope_id: str, channel_id: str) -> bool:
        """Before the account is known its half of the id is open: the signature proves enough."""
        known = self._connection.scope_id
        return scope_id.startswith(f"{channel_id}_") if known is None else scope_id == known

    async def _body(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > LONGEST_HOOK:
            raise _RefusalError(413, "too long", close=True)
        try:
            if request.content.is_eof():  # it came along with the headers: no timer needed
                return _bounded(request.content.read_nowait())
            async with asyncio.timeout(self._read_timeout_s):
                return await _read(request)
        except TimeoutError as error:
            raise _RefusalError(408, "the body did not come in time", close=True) from error
        except (HttpProcessingError, web.RequestPayloadError, OSError) as error:
            raise _RefusalError(400, f"broken body: {type(error).__name__}", close=True) from error

    def _tell(self, status: int, reason: str) -> None:
        """Log a refusal, at most one a minute of each kind: the door is open to anyone."""
        now_ms = self._clock.now_ms()
        self._refused[status] = self._refused.get(status, 0) + 1
        spoke_ms = self._spoke_ms.get(status)
        if spoke_ms is not None and 0 <= now_ms - spoke_ms < _QUIET_MS:
            return
        self._spoke_ms[status] = now_ms
        count = self._refused.pop(status)
        _log.warning("hook_refused", status=status, reason=reason, count=count)


async def _read(request: web.Request) -> bytes:
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        if len(body) > LONGEST_HOOK:
            break
    return _bounded(bytes(body))


def _bounded(body: bytes) -> bytes:
    if len(body) > LONGEST_HOOK:
        raise _RefusalError(413, "too long", close=True)
    return body


def _answer(status: int, *, close: bool = False) -> web.Response:
    response = web.Response(status=status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if close:
        response.force_close()
    return response
