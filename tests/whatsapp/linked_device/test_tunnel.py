"""What goes through the tunnel, when, and for whom."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from relay.whatsapp.linked_device import reachability
from relay.whatsapp.linked_device import tunnel as tunnel_module
from relay.whatsapp.linked_device.tunnel import Tunnel
from tests.whatsapp.linked_device import proxies
from tests.whatsapp.linked_device.digging import (
    HANDSHAKES,
    OPENED,
    PATIENCE_S,
    Far,
    Hold,
    ask,
    confirm,
    hang_up,
    say,
    shake_hands,
    through,
)


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    """What a test opened is closed after it."""
    yield
    await hang_up()


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    async with Far().listening() as host:
        yield host


@pytest.fixture
def hold() -> Hold:
    return Hold()


@pytest.fixture
def patience() -> Hold:
    """Has no end before a test ends it; 127.0.0.1 stands for WhatsApp only where a test says so."""
    return Hold()


@pytest.fixture
async def tunnel(hold: Hold, patience: Hold) -> AsyncIterator[Tunnel]:
    digging = Tunnel(None, hold, patience)
    yield digging
    await hang_up()
    hold.let_go.set()
    await digging.close()


async def test_a_handshake_passes_at_once(tunnel: Tunnel, far: Far, hold: Hold) -> None:
    """Four times the library speaks before it can confirm anything, however often it pauses."""
    near, there = await through(await tunnel.open(), far)
    await say(near, there, b"one")
    await say(near, there, b"and more")
    await say(there, near, b"answer")
    await say(there, near, b"and more")
    for number in range(HANDSHAKES - 1):
        await say(near, there, b"%d" % number)
        await say(there, near, b"answer")
    assert not hold.held.is_set()
    near[1].write(b"from now on")
    await hold.begun()


async def test_what_the_library_says_leaves_a_moment_later(
    tunnel: Tunnel, far: Far, hold: Hold
) -> None:
    """Each word waits its time; the answers come at once meanwhile; nothing changes on the way."""
    near, there = await through(await tunnel.open(), far)
    await shake_hands(near, there)
    near[1].write(b"confirmed 1,")
    await hold.begun()
    near[1].write(b"confirmed 2")
    await near[1].drain()
    await say(there, near, b"another message")
    assert not there[0]._buffer  # type: ignore[attr-defined]  # nothing has come
    hold.let_go.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await there[0].readexactly(12) == b"confirmed 1,"
        await hold.begun()
        assert not there[0]._buffer  # type: ignore[attr-defined]  # the second waits its own time
        hold.let_go.set()
        assert await there[0].readexactly(11) == b"confirmed 2"


@pytest.mark.parametrize("size", [1, 65_536, 1_000_000])
async def test_it_changes_nothing(tunnel: Tunnel, far: Far, size: int) -> None:
    """Every byte, in order, both ways, more than any buffer holds."""
    near, there = await through(await tunnel.open(), far)
    data = bytes(index * index % 251 for index in range(size))
    for one, other in ((near, there), (there, near)):
        one[1].write(data)
        async with asyncio.timeout(PATIENCE_S):
            assert await other[0].readexactly(size) == data


@pytest.mark.parametrize(("hangs_up", "hears"), [(0, 1), (1, 0)])
async def test_the_end_of_one_side_is_the_end_of_the_other(
    tunnel: Tunnel, far: Far, monkeypatch: pytest.MonkeyPatch, hangs_up: int, hears: int
) -> None:
    """Whoever hangs up, it is heard at once; what was said before comes first."""
    monkeypatch.setattr(tunnel_module, "FLUSH_S", 1e6)
    sides = await through(await tunnel.open(), far)
    sides[hangs_up][1].write(b"goodbye")
    sides[hangs_up][1].close()
    async with asyncio.timeout(PATIENCE_S):
        assert await sides[hears][0].read() == b"goodbye"


async def test_a_line_that_breaks_has_ended(
    tunnel: Tunnel, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library hears of it at once, as of a WhatsApp that hangs up."""
    monkeypatch.setattr(tunnel_module, "FLUSH_S", 1e6)
    near, there = await through(await tunnel.open(), far)
    there[1].get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    there[1].transport.abort()
    async with asyncio.timeout(PATIENCE_S):
        assert await near[0].read() == b""


async def test_a_whatsapp_that_does_not_answer_is_given_up(
    tunnel: Tunnel, far: Far, patience: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of the handshakes, when the time for them is over: both sides are hung up."""
    monkeypatch.setattr(tunnel_module, "HOST", "127.0.0.1")
    near, there = await through(await tunnel.open(), far)
    for _ in range(HANDSHAKES - 1):
        await say(near, there, b"hello")
        await say(there, near, b"and hello")
    near[1].write(b"hello?")
    await patience.begun()
    patience.let_go.set()
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionResetError):
            assert await near[0].read() == b""
        with contextlib.suppress(ConnectionResetError):
            assert await there[0].read() in (b"", b"hello?")


async def test_a_whatsapp_that_has_answered_may_be_silent(
    tunnel: Tunnel, far: Far, hold: Hold, patience: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the handshakes are over nothing is given up, however long nobody says a word."""
    monkeypatch.setattr(tunnel_module, "HOST", "127.0.0.1")
    near, there = await through(await tunnel.open(), far)
    await shake_hands(near, there)
    await patience.begun()
    patience.let_go.set()
    await patience.over.wait()
    await say(there, near, b"a message")
    hold.let_go.set()
    await say(near, there, b"confirmed")


async def test_a_file_may_take_its_time(tunnel: Tunnel, far: Far, patience: Hold) -> None:
    """It comes from another host, over a connection that does not say much."""
    near, there = await through(await tunnel.open(), far)
    await say(near, there, b"a file, please")
    await say(there, near, b"its first half")
    await say(there, near, b"its second half")
    assert not patience.held.is_set()


async def test_a_close_lets_out_what_was_said(tunnel: Tunnel, far: Far, hold: Hold) -> None:
    """The last confirmations of a clean stop: what they are of was handed over before."""
    near, there = await through(await tunnel.open(), far)
    await shake_hands(near, there)
    near[1].write(b"confirmed")
    near[1].close()
    await hold.begun()
    closing = asyncio.create_task(tunnel.close())
    hold.let_go.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await there[0].read() == b"confirmed"
        there[1].close()
        await closing


async def test_a_library_that_cannot_tell_is_brought_no_more(
    tunnel: Tunnel, far: Far, hold: Hold
) -> None:
    """Not even that WhatsApp hung up; what it has said, and then says, still goes out."""
    near, there = await through(await tunnel.open(), far)
    await confirm(near, there, hold)
    tunnel.bring_no_more()
    there[1].write(b"one message more")
    there[1].write_eof()
    async with asyncio.timeout(PATIENCE_S):
        hold.let_go.set()
        assert await there[0].readexactly(9) == b"confirmed"
        near[1].write(b" and goodbye")
        near[1].write_eof()
        await hold.begun()
        hold.let_go.set()
        assert await there[0].read() == b" and goodbye"
        with contextlib.suppress(ConnectionResetError):
            assert await near[0].read() == b""


async def test_a_library_that_cannot_tell_is_waited_for_until_it_answers(
    tunnel: Tunnel, far: Far, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was brought last it has yet to confirm; by what it said before, it did not."""
    monkeypatch.setattr(tunnel_module, "FLUSH_S", 0)
    near, there = await through(await tunnel.open(), far)
    await shake_hands(near, there)
    await say(there, near, b"what it cannot tell")
    tunnel.bring_no_more()
    answered = asyncio.create_task(tunnel.answered())
    await asyncio.sleep(0)
    assert not answered.done()
    near[1].write(b"confirmed")
    async with asyncio.timeout(PATIENCE_S):
        await answered
        await tunnel.answered()
        await hold.begun()
        hold.let_go.set()
        assert await there[0].readexactly(9) == b"confirmed"


@pytest.mark.parametrize("end", ["it never answers", "it hangs up", "it was cut off"])
async def test_an_answer_is_not_waited_for_in_vain(
    tunnel: Tunnel, far: Far, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """A library need not answer everything, and one whose line is gone cannot."""
    monkeypatch.setattr(tunnel_module, "ANSWER_S", 0.01 if end == "it never answers" else 1e6)
    near, there = await through(await tunnel.open(), far)
    await shake_hands(near, there)
    await say(there, near, b"what it cannot tell")
    if end == "it was cut off":
        tunnel.cut()
    else:
        tunnel.bring_no_more()
    if end == "it hangs up":
        near[1].close()
    async with asyncio.timeout(PATIENCE_S):
        await tunnel.answered()


async def test_a_cut_lets_nothing_out(tunnel: Tunnel, far: Far, hold: Hold) -> None:
    """What the library confirms and could not tell WhatsApp is to repeat; it cannot come back."""
    near, there = await through(await tunnel.open(), far)
    await confirm(near, there, hold)
    tunnel.cut()
    hold.let_go.set()
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionResetError):
            assert await there[0].read() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*near[1].get_extra_info("peername"))


async def test_a_close_does_not_wait_for_ever(
    tunnel: Tunnel, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a library that does not hang up, or a host that does not."""
    monkeypatch.setattr(tunnel_module, "FLUSH_S", 0.01)
    near, there = await through(await tunnel.open(), far)
    async with asyncio.timeout(PATIENCE_S):
        await tunnel.close()
        assert await near[0].read() == b""
        assert await there[0].read() == b""


async def test_only_the_one_with_the_password_gets_through(tunnel: Tunnel, far: Far) -> None:
    """Anybody on this machine may knock."""
    way = await tunnel.open()
    near, answer = await ask(way, far.place, password="guessed")
    assert answer == b"HTTP/1.1 407 Proxy Authentication Required"
    assert await near[0].read() == b""
    assert far.came.empty()
    parts = urlsplit(way)
    assert parts.hostname == "127.0.0.1"
    assert len(parts.password or "") > 16


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\n", b"CONNECT nowhere HTTP/1.1\r\n", b"\xff\xfe\r\n", b"CONNECT a:b c\r\n"],
)
async def test_it_does_nothing_else(tunnel: Tunnel, head: bytes) -> None:
    """What is no request to lead on is refused."""
    way = urlsplit(await tunnel.open())
    reader, writer = await asyncio.open_connection(way.hostname, way.port)
    OPENED.append(writer)
    word = base64.b64encode(f"relay:{way.password}".encode())
    writer.write(head + b"Proxy-Authorization: Basic " + word + b"\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("url", "serve"),
    [
        ("http://{}", proxies.http()),
        ("socks5://{}", proxies.socks()),
        ("socks5://{}", proxies.socks(bound=b"\x03\x05there" + bytes(2))),
        ("socks5://{}", proxies.socks(bound=b"\x04" + bytes(18))),
    ],
)
async def test_the_channels_proxy_is_behind_it(
    url: str, serve: proxies.Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for WhatsApp in the tunnel's place; the library hears nothing but WhatsApp."""
    monkeypatch.setattr(tunnel_module, "FLUSH_S", 0.01)  # this proxy never hangs up
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        heard.put_nowait(await reader.readexactly(5))
        writer.write(b"hello to you")

    async with proxies.proxy(lead) as port:
        tunnel = Tunnel(url.format(f"127.0.0.1:{port}"))
        near, answer = await ask(await tunnel.open(), "web.whatsapp.com:443")
        assert answer.startswith(b"HTTP/1.1 200 ")
        near[1].write(b"hello")
        async with asyncio.timeout(PATIENCE_S):
            assert await heard.get() == b"hello"
            assert await near[0].readexactly(12) == b"hello to you"
        near[1].close()
        await tunnel.close()


async def test_a_proxy_of_https_is_spoken_to_in_secret(
    whatsapp_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its certificate is looked at; an end cannot be told on such a line, but it comes."""
    monkeypatch.setattr(tunnel_module, "FLUSH_S", 0.01)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await proxies.http()(reader, writer)
        heard.put_nowait(await reader.readexactly(5))
        heard.put_nowait(await reader.read())
        writer.transport.abort()

    async with await asyncio.start_server(lead, "127.0.0.1", 0, ssl=whatsapp_tls) as server:
        tunnel = Tunnel(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        _, refused = await ask(await tunnel.open(), "web.whatsapp.com:443")
        assert refused.startswith(b"HTTP/1.1 502 ")
        assert b"certificate" in refused
        await tunnel.close()
        monkeypatch.setattr(tunnel_module, "_true_certificate", reachability._any_certificate)
        near, answer = await ask(await tunnel.open(), "web.whatsapp.com:443")
        assert answer.startswith(b"HTTP/1.1 200 ")
        near[1].write(b"hello")
        near[1].close()
        async with asyncio.timeout(PATIENCE_S):
            assert await heard.get() == b"hello"
            assert await heard.get() == b""
        await tunnel.close()


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        (proxies.http("503 Busy"), b"503 Busy"),
        (proxies.socks(refusal=3), b"network unreachable"),
    ],
)
async def test_a_way_that_leads_nowhere_is_told(proxy: proxies.Serve, words: bytes) -> None:
    """The library writes the reason into its log."""
    scheme = "http" if words.startswith(b"503") else "socks5"
    async with proxies.proxy(proxy) as port:
        tunnel = Tunnel(f"{scheme}://127.0.0.1:{port}")
        near, answer = await ask(await tunnel.open(), "web.whatsapp.com:443")
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert words in answer
        assert await near[0].read() == b""
        await tunnel.close()
