"""Managers' files, fetched from a host that does its worst."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import BaseTestServer, TestServer

from relay.amocrm.errors import RefusedError
from relay.amocrm.files import AmoCrmFiles, open_files_session
from relay.amocrm.hosts import Hosts, is_public
from relay.delivery.ports import MediaGoneError, MediaTooLargeError, MediaUnavailableError

LIMIT = 1_000_000
BODY = bytes(range(256)) * 1000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Elsewhere(AbstractResolver):
    """Every name leads there."""

    address: str
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(
                hostname=host, host=self.address, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing."""


@dataclass
class Host:
    """amoCRM's host of files, as the test wills it."""

    server: BaseTestServer
    files: AmoCrmFiles
    answer: Handler
    token: str = "good"
    seen: list[tuple[str, str | None]] = field(default_factory=list)

    async def get(self, path: str = "/f.bin") -> bytes:
        return await self.bring(str(self.server.make_url(path)))

    async def bring(self, link: str) -> bytes:
        came = bytearray()

        async def write(piece: bytes) -> None:
            came.extend(piece)
            if len(came) > LIMIT:
                raise MediaTooLargeError(len(came))

        await self.files.fetch(link, write)
        return bytes(came)


async def _give(_: web.Request) -> web.Response:
    return web.Response(body=BODY)


@pytest.fixture
async def host(request: pytest.FixtureRequest) -> AsyncIterator[Host]:
    """Its parameter, if any: how long it may be silent, in seconds."""

    async def handle(request: web.Request) -> web.StreamResponse:
        here.seen.append((request.path, request.headers.get("Authorization")))
        return await here.answer(request)

    async def token() -> str:
        if not here.token:
            raise RefusedError("there is no token yet")
        return here.token

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app) as server:
        hosts = Hosts([str(server.make_url("/"))])
        async with open_files_session(hosts, silence_s=getattr(request, "param", 30.0)) as session:
            here = Host(server, AmoCrmFiles(session, hosts, token, lambda: LIMIT), _give)
            yield here


async def test_a_file_is_asked_for_without_a_token_first(host: Host) -> None:
    """And comes byte for byte."""
    assert await host.get() == BODY
    assert host.seen == [("/f.bin", None)]


@pytest.mark.parametrize("status", [401, 403])
async def test_the_token_is_shown_only_where_it_is_asked_for(host: Host, status: int) -> None:
    """Once, after amoCRM refused."""

    async def guarded(request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == "Bearer good"
        return web.Response(body=BODY) if known else web.Response(status=status)

    host.answer = guarded
    assert await host.get() == BODY
    assert host.seen == [("/f.bin", None), ("/f.bin", "Bearer good")]
    host.token = "bad"
    with pytest.raises(MediaUnavailableError, match=str(status)):
        await host.get()
    host.token = ""
    with pytest.raises(MediaUnavailableError, match="no token yet"):
        await host.get()


async def test_a_page_to_log_in_is_no_file(host: Host) -> None:
    """It is a way to say 401; but a page that is the file itself is taken."""

    async def page(request: web.Request) -> web.Response:
        if request.headers.get("Authorization"):
            return web.Response(body=BODY)
        return web.Response(text="<html>log in", content_type="text/html")

    host.answer = page
    assert await host.get() == BODY
    assert await host.get("/offer.html") == b"<html>log in"


@pytest.mark.parametrize("status", [404, 429, 500, 503, 204, 304])
async def test_what_is_not_there_now_may_be_there_later(host: Host, status: int) -> None:
    """Only 410 is for ever."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    host.answer = refuse
    with pytest.raises(MediaUnavailableError):
        await host.get()


async def test_410_is_for_ever(host: Host) -> None:
    """Nobody asks twice."""

    async def gone(_: web.Request) -> web.Response:
        return web.Response(status=410)

    host.answer = gone
    with pytest.raises(MediaGoneError):
        await host.get()


async def test_a_file_announced_too_large_is_not_begun(host: Host) -> None:
    """Not a byte is written."""

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=bytes(LIMIT + 1))

    host.answer = large
    with pytest.raises(MediaTooLargeError, match="announces"):
        await host.get()


async def test_a_server_that_never_ends_is_cut_off(host: Host) -> None:
    """At the limit, for it announces nothing."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(60_000))

    host.answer = endless
    with pytest.raises(MediaTooLargeError):
        await host.get()


@pytest.mark.parametrize("host", [0.2], indirect=True)
async def test_a_server_that_falls_silent_is_given_up(host: Host) -> None:
    """After a while without a byte."""
    over = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        await over.wait()
        return response

    host.answer = silent
    with pytest.raises(MediaUnavailableError):
        await host.get()
    over.set()


@pytest.mark.parametrize("chunked", [True, False])
async def test_half_a_file_is_no_file(host: Host, chunked: bool) -> None:
    """A drop in the middle is seen, whichever way the length was told."""

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={} if chunked else {"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    host.answer = half
    with pytest.raises(MediaUnavailableError):
        await host.get()


async def test_what_comes_packed_is_refused(host: Host) -> None:
    """It could unpack to anything."""

    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=BODY, headers={"Content-Encoding": "gzip"})

    host.answer = packed
    with pytest.raises(MediaUnavailableError, match="packed"):
        await host.get()


async def test_a_redirect_within_amocrm_is_followed_without_the_token(host: Host) -> None:
    """Each host is asked without it first."""

    async def moving(request: web.Request) -> web.Response:
        if request.path == "/f.bin" and request.headers.get("Authorization"):
            return web.Response(status=302, headers={"Location": "/there"})
        if request.path == "/f.bin":
            return web.Response(status=401)
        return web.Response(body=BODY)

    host.answer = moving
    assert await host.get() == BODY
    assert host.seen[-1] == ("/there", None)


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:1/", "http://169.254.169.254/latest", "https://evil.example/f",
        "file:///etc/passwd", "https://amojo.amocrm.ru@127.0.0.1/", "https://amojo.amocrm.ru:22/",
        "http://amojo.amocrm.ru/", "https://evilamocrm.ru/", "//[::1]/", "https://[", "\\\\x\\y",
    ],
)  # fmt: skip
async def test_no_link_and_no_redirect_leads_away_from_amocrm(host: Host, to: str) -> None:
    """Another host, another port, another scheme, this machine: none is asked."""

    async def moved(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": to})

    host.answer = moved
    with pytest.raises((MediaGoneError, MediaUnavailableError)):
        await host.get()
    with pytest.raises(MediaGoneError):
        await host.bring(to)
    assert {path for path, _ in host.seen if not path.endswith("y")} == {"/f.bin"}


async def test_redirects_end(host: Host) -> None:
    """A circle is left after a few rounds."""

    async def circle(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/f.bin"})

    host.answer = circle
    with pytest.raises(MediaUnavailableError, match="circles"):
        await host.get()
    assert len(host.seen) < 10


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::ffff:127.0.0.1", "169.254.1.1"])
async def test_a_name_of_amocrms_that_leads_into_our_network_is_not_asked(address: str) -> None:
    """Whoever made it lead there: the addresses looked at are the very ones connected to."""
    hosts, elsewhere = Hosts(["https://example.amocrm.ru"]), Elsewhere(address)

    async def token() -> str:
        return "good"

    async def write(_: bytes) -> None:
        raise AssertionError

    async with open_files_session(hosts, inner=elsewhere) as session:
        files = AmoCrmFiles(session, hosts, token, lambda: LIMIT)
        with pytest.raises(MediaUnavailableError):
            await files.fetch("https://drive-b.amocrm.ru/f", write)
    assert elsewhere.asked == ["drive-b.amocrm.ru"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False),
        ("10.0.0.1", False), ("192.168.1.1", False), ("172.16.0.1", False), ("100.64.0.1", False),
        ("169.254.169.254", False), ("224.0.0.1", False), ("::1", False),
        ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("no address", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """However an address is wrapped into another."""
    assert is_public(address) is public


async def test_a_session_keeps_no_cookies_and_asks_for_plain_bytes(host: Host) -> None:
    """Nothing of one file is told to the next host."""

    async def cookie(request: web.Request) -> web.Response:
        assert "Cookie" not in request.headers
        assert request.headers["Accept-Encoding"] == "identity"
        response = web.Response(body=BODY)
        response.set_cookie("a", "b")
        return response

    host.answer = cookie
    assert await host.get() == await host.get() == BODY
    assert isinstance(host.files._session, aiohttp.ClientSession)
