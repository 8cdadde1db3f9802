"""Every way to the media host is one and the same to whoever downloads."""

from __future__ import annotations

import asyncio
import gc
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from relay.whatsapp.linked_device import media_way as media_way_module
from relay.whatsapp.linked_device.media_way import media_way
from relay.wire import direct
from relay.wire.downloads import HELD, Downloads
from tests.whatsapp.linked_device.proxies import Serve
from tests.whatsapp_server.tls import MEDIA_HOST, Authority, create_authority
from tests.wire.peer import Peer, until

URL = f"https://{MEDIA_HOST}/f"
BODY = bytes(range(256)) * 4_000  # a megabyte
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"CONNECT ")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")


async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(3)
    writer.write(b"\x05\x00")
    await reader.readexactly((await reader.readexactly(5))[4] + 2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))


async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 407 Who are you\r\n\r\n")


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


@dataclass
class Way:
    """A proxy and the host behind it."""

    host: Peer
    port: int = 0
    come: int = 0
    gone: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    async def lead(
        self, serve: Serve, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.come += 1
        with suppress(OSError, EOFError):
            await serve(reader, writer)
            there, back = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        writer.transport.abort()
        self.gone += 1


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.transport.abort()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return create_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own authority is the system's."""
    trust(monkeypatch, authority.certificate)


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    for module in (media_way_module, direct):
        monkeypatch.setattr(module, "certificates", lambda: context)
    return context


@asynccontextmanager
async def through(
    serve: Serve, authority: Authority, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Way]:
    way = Way(Peer())
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: way.faults.append(fault))
    host = await asyncio.start_server(way.host.talk, "127.0.0.1", 0, ssl=authority.server)
    target = host.sockets[0].getsockname()[1]
    proxy = await asyncio.start_server(
        lambda reader, writer: way.lead(serve, target, reader, writer), "127.0.0.1", 0, ssl=tls
    )
    async with host, proxy:
        way.port = proxy.sockets[0].getsockname()[1]
        yield way
        await until(lambda: way.gone == way.come)
        assert way.faults == []


async def read(wire: Downloads, url: str = URL) -> bytes:
    async with wire.get(url, {}) as answer:
        return b"".join([piece async for piece in answer])


def test_without_a_proxy_the_way_is_straight() -> None:
    """As that to amoCRM is."""
    assert media_way("") is direct.connect


@pytest.mark.parametrize(
    ("scheme", "serve"), [("http", http), ("https", http), ("socks5", socks), ("socks5h", socks)]
)
async def test_files_come_through_every_proxy(
    scheme: str, serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In secret from it, one after the other over one connection that nobody else holds."""
    secret = scheme == "https"
    if secret:  # nobody has certified this machine's name
        trust(monkeypatch, authority.certificate).check_hostname = False
    async with through(serve, authority, authority.server if secret else None) as way:
        wire = Downloads(media_way(f"{scheme}://127.0.0.1:{way.port}"))
        for _ in range(3):
            way.host.answers = [ANSWER]
            assert await read(wire) == BODY
            gc.collect()
        assert way.come == 1
        assert f"Host: {MEDIA_HOST}\r\n".encode() in way.host.heads[0]
        await wire.close()


async def test_over_tls_little_is_in_memory_too(authority: Authority) -> None:
    """What lies in wait while a piece is worked on comes at once, but is bounded."""
    async with through(http, authority) as way:
        wire = Downloads(media_way(f"http://127.0.0.1:{way.port}"))
        body = BODY * 8
        way.host.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)]
        pieces = list[bytes]()
        async with wire.get(URL, {}) as answer:
            async for piece in answer:
                pieces.append(piece)
                for _ in range(50):  # for so long the host may fill whatever it can
                    await asyncio.sleep(0)
        assert b"".join(pieces) == body
        assert max(map(len, pieces)) < HELD + 512 * 1024
        await wire.close()


@pytest.mark.parametrize(
    ("serve", "words"), [(refusing, "it answers 407 Who are you"), (hanging_up, "it hangs up")]
)
async def test_a_proxy_that_does_not_lead_on_is_told(
    serve: Serve, words: str, authority: Authority
) -> None:
    """As what cannot be reached; nothing is left open."""
    async with through(serve, authority) as way:
        wire = Downloads(media_way(f"http://127.0.0.1:{way.port}"))
        with pytest.raises(ConnectionError, match=f"does not lead there: {words}"):
            await read(wire)
        await until(lambda: way.gone == 1)
        await wire.close()


async def test_behind_a_proxy_the_host_must_be_who_it_should_be(authority: Authority) -> None:
    """A certificate of another name is not enough: nothing is asked."""
    async with through(http, authority) as way:
        wire = Downloads(media_way(f"http://127.0.0.1:{way.port}"))
        with pytest.raises(ssl.SSLCertVerificationError):
            await read(wire, "https://other.whatsapp.net/f")
        assert way.host.heads == []
        way.faults.clear()  # the host's: it has heard why
        await wire.close()


@pytest.mark.parametrize("address", ["http://", "http://:80", "http://there:port"])
def test_a_proxy_without_a_host_is_no_way(address: str) -> None:
    """It is an error at once."""
    with pytest.raises(ValueError, match=r"has no host|Port could not"):
        media_way(address)


@pytest.mark.parametrize(("scheme", "serve"), [("http", http), ("socks5", socks)])
async def test_given_up_at_any_moment_it_leaves_nothing_open(
    scheme: str, serve: Serve, authority: Authority
) -> None:
    """While the proxy leads on, in the handshake behind it, or in mid-file."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        async with through(serve, authority) as way:
            wire = Downloads(media_way(f"{scheme}://127.0.0.1:{way.port}"))
            for turns in range(80):
                way.host.answers = [ANSWER]
                reading = asyncio.create_task(read(wire))
                for _ in range(turns):
                    await asyncio.sleep(0)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            assert way.host.heads  # some got so far
            await wire.close()
            await until(lambda: way.gone == way.come)
            way.faults.clear()  # of handshakes that the host did not see end
        gc.collect()
    assert [str(one.message) for one in complaints] == []
