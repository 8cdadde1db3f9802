"""The thin client against real servers: what it sends, and every way in which they disappoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from relay.amocrm import protocol
from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.answers import Answer
from relay.amocrm.client import ChatsClient, open_session
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import RefusedError, UnreachableError
from relay.amocrm.wire import LONGEST_ANSWER, Wire
from tests.amocrm.doubles import (
    ACCEPTED,
    ACCOUNT,
    CHANNEL,
    CRM_MESSAGE,
    DATE,
    DATE_MS,
    SCOPE,
    SECRET,
    HandClock,
    credentials,
    holder,
)
from tests.amocrm.servers import fake_host, raw_host
from tests.amocrm.test_protocol import B1, B5

REQUEST = protocol.delivery_status(SCOPE, CRM_MESSAGE, 1)
SOON_S = 0.05  # for servers that never answer


@asynccontextmanager
async def client_of(
    url: str,
    *,
    held: CredentialsHolder | None = None,
    clock: HandClock | None = None,
    alarm: CredentialsAlarm | None = None,
    timeout_s: float = 5.0,
) -> AsyncIterator[ChatsClient]:
    clock = clock or HandClock()
    alarm = alarm or CredentialsAlarm(clock)
    async with Wire(url) as wire:
        yield ChatsClient(wire, held or holder(), clock, alarm, timeout_s=timeout_s)


async def test_what_is_sent_is_what_was_signed() -> None:
    """The server sees vector 5: path, body, and the four headers."""
    async with fake_host() as host, client_of(host.url + "/") as client:
        host.say(200, ACCEPTED)
        answer = await client.post(REQUEST)
        seen = host.seen[0]
    assert (answer.status, answer.body) == (200, ACCEPTED)
    assert (seen.method, seen.path, seen.body) == ("POST", REQUEST.path, B5)
    assert seen.headers["X-Signature"] == "11d4fac58cf05c52460cac9089fffa47ae47fe94"
    assert seen.headers["Content-MD5"] == "a21a7287a475cbceca3461af9a698d30"
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Date"] == DATE
    assert "Cookie" not in seen.headers


@pytest.mark.parametrize("message_id", ["a/b ?%я", "..", "%41"])
async def test_odd_path_is_sent_as_signed(message_id: str) -> None:
    """Whatever an id holds, its path reaches the server exactly as it was signed."""
    request = protocol.delivery_status(SCOPE, message_id, 1)
    async with fake_host() as host, client_of(host.url) as client:
        host.say(200)
        await client.post(request)
        assert host.seen[0].path == request.path


async def test_rotated_secret_acts_at_once() -> None:
    """The request after a rotation is signed with the new secret."""
    held = holder()
    async with fake_host() as host, client_of(host.url, held=held) as client:
        host.say(200)
        await client.post(REQUEST)
        held.current = credentials(secret="another")
        await client.post(REQUEST)
    first, second = (seen.headers["X-Signature"] for seen in host.seen)
    assert first == protocol.sign("POST", REQUEST.path, B5, SECRET, DATE)["X-Signature"]
    assert second == protocol.sign("POST", REQUEST.path, B5, "another", DATE)["X-Signature"]


async def test_cookies_are_not_kept() -> None:
    """What the server wants remembered is not sent back."""
    async with fake_host() as host:
        named = host.url.replace("127.0.0.1", "localhost")  # addresses never get cookies
        async with client_of(named) as client:
            host.say(200, b"", Set_Cookie="session=1")
            await client.post(REQUEST)
            await client.post(REQUEST)
        assert "Cookie" not in host.seen[1].headers


async def test_headers_of_the_answer() -> None:
    """Date and Retry-After come along with any status."""
    async with fake_host() as host, client_of(host.url) as client:
        host.say(429, b"{}", Date=DATE, Retry_After="7")
        assert await client.post(REQUEST) == Answer(429, b"{}", DATE, "7")


async def test_redirect_is_an_answer() -> None:
    """A redirect is not followed: the signature is for this path alone."""
    async with fake_host() as host, client_of(host.url) as client:
        host.say(302, b"", Location="/elsewhere")
        assert (await client.post(REQUEST)).status == 302
        assert len(host.seen) == 1


async def test_huge_answer_is_cut() -> None:
    """Of an endless answer no more than the limit is read, and the client goes on working."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    async with fake_host() as host, client_of(host.url) as client:
        host.answer = endless
        assert len((await client.post(REQUEST)).body) == LONGEST_ANSWER
        host.say(200, b"{}")
        assert (await client.post(REQUEST)).body == b"{}"


async def test_answer_of_the_wrong_type_is_read_as_bytes() -> None:
    """The declared type and charset of an answer change nothing."""
    async with fake_host() as host, client_of(host.url) as client:
        host.say(200, b"\xff\x00", Content_Type="text/html; charset=nonsense")
        assert (await client.post(REQUEST)).body == b"\xff\x00"


async def test_silent_server_is_unreachable() -> None:
    """A server that takes the request and says nothing is given up after the time limit."""
    forever = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        await forever.wait()
        return web.Response()

    async with fake_host() as host, client_of(host.url, timeout_s=SOON_S) as client:
        host.answer = hang
        with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s"):
            await client.post(REQUEST)
        forever.set()


async def test_server_that_stalls_in_its_answer_is_unreachable() -> None:
    """The time limit is for the whole answer, not for its first byte."""
    forever = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await forever.wait()
        return response

    async with fake_host() as host, client_of(host.url, timeout_s=SOON_S) as client:
        host.answer = stall
        with pytest.raises(UnreachableError, match="no answer within"):
            await client.post(REQUEST)
        forever.set()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x00",
    ],
)
async def test_garbage_on_the_wire_is_unreachable(answer: bytes) -> None:
    """What is not HTTP, or breaks off, is no answer."""
    async with raw_host(answer) as url, client_of(url) as client:
        with pytest.raises(UnreachableError):
            await client.post(REQUEST)


async def test_reset_is_unreachable() -> None:
    """A connection that is reset after the request is no answer."""
    async with raw_host(b"", reset=True) as url, client_of(url) as client:
        with pytest.raises(UnreachableError):
            await client.post(REQUEST)


async def test_closed_port_is_unreachable() -> None:
    """A host that nobody listens at is unreachable, and so is a name that does not resolve."""
    async with raw_host(b"") as url:
        pass
    async with client_of(url) as client:
        with pytest.raises(UnreachableError):
            await client.post(REQUEST)


async def test_clock_is_compared() -> None:
    """Every answer's date is compared with the host's clock, refusals too."""
    clock = HandClock(DATE_MS + 600_000)
    async with fake_host() as host, client_of(host.url, clock=clock) as client:
        host.say(403, b"", Date=DATE)
        with capture_logs() as logs:
            await client.post(REQUEST)
    assert [(log["event"], log["seconds"]) for log in logs] == [("clock_skew", 600)]


async def test_pool_is_bounded() -> None:
    """However many requests are made at once, the pool opens no more connections than its limit."""
    inside, most = 0, 0
    full, free = asyncio.Event(), asyncio.Event()

    async def count(_: web.Request) -> web.StreamResponse:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 2:
            full.set()
        await free.wait()
        inside -= 1
        return web.Response()

    clock = HandClock()
    async with fake_host() as host, Wire(host.url, connections=2) as wire:
        client = ChatsClient(wire, holder(), clock, CredentialsAlarm(clock))
        host.answer = count
        posts = [asyncio.create_task(client.post(REQUEST)) for _ in range(6)]
        await full.wait()
        free.set()
        await asyncio.gather(*posts)
    assert most == 2


async def test_connect_names_the_scope() -> None:
    """Connect posts vector 1 and returns the scope of the answer; a standing alarm is lifted."""
    alarm = CredentialsAlarm(HandClock())
    alarm.refused(Credential.CHANNEL, "before")
    async with fake_host() as host, client_of(host.url, alarm=alarm) as client:
        host.say(200, json.dumps({"scope_id": SCOPE}).encode())
        assert await client.connect(ACCOUNT) == SCOPE
        assert host.seen[0].body == B1
        assert host.seen[0].path == f"/v2/origin/custom/{CHANNEL}/connect"
        assert host.seen[0].headers["X-Signature"] == "799f581ce41be951ebca20165c483827f25898fc"
    assert not alarm.standing


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_connect_refused(status: int) -> None:
    """A refused signature or an unknown channel is a refusal, and an alarm."""
    alarm = CredentialsAlarm(HandClock())
    async with fake_host() as host, client_of(host.url, alarm=alarm) as client:
        host.say(status, b'{"error_description":"no"}')
        with pytest.raises(RefusedError, match=f"{status}: no"):
            await client.connect(ACCOUNT)
    assert [refusal.credential for refusal in alarm.standing] == [Credential.CHANNEL]


@pytest.mark.parametrize(("status", "body"), [(400, b"x"), (500, b""), (200, b"{}"), (204, b"")])
async def test_connect_fails(status: int, body: bytes) -> None:
    """Anything else that names no scope is no connection, without alarm."""
    alarm = CredentialsAlarm(HandClock())
    async with fake_host() as host, client_of(host.url, alarm=alarm) as client:
        host.say(status, body)
        with pytest.raises(UnreachableError, match=str(status)):
            await client.connect(ACCOUNT)
    assert not alarm.standing


async def test_session_is_bounded_by_default() -> None:
    """The session that the app opens has a bounded pool."""
    async with open_session() as session:
        assert isinstance(session.connector, aiohttp.TCPConnector)
        assert 0 < session.connector.limit <= 100
