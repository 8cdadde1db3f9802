"""Where the first connection goes, and whether it can be made."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from relay.whatsapp.linked_device.reachability import reach
from relay.whatsapp.linked_device.way import Hop, first_hop
from tests.whatsapp.linked_device import proxies

_VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("proxy", "hop"),
    [
        (None, Hop("web.whatsapp.com", 443)),
        ("socks5://127.0.0.1", Hop("127.0.0.1", 1080)),
        ("socks5://user:secret@proxy.example.com:9050", Hop("proxy.example.com", 9050)),
        ("http://proxy", Hop("proxy", 80)),
        ("https://[::1]:8443", Hop("::1", 8443)),
        ("proxy:3128", Hop("proxy", 3128)),
    ],
)
def test_the_first_hop(proxy: str | None, hop: Hop) -> None:
    """The channel's proxy, or WhatsApp itself."""
    assert first_hop(proxy) == hop


def test_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a proxy of its own, a channel goes the environment's way, as the library does."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    assert first_hop(None) == Hop("127.0.0.1", 3128)
    assert first_hop("socks5://own") == Hop("own", 1080)
    monkeypatch.setenv("NO_PROXY", ".whatsapp.com")
    assert first_hop(None) == Hop("web.whatsapp.com", 443)


@pytest.mark.parametrize("proxy", ["http://", "http://host:port"])
def test_a_bad_address_is_an_error(proxy: str) -> None:
    """What cannot be read is told, not tried."""
    with pytest.raises(ValueError, match=r".+"):
        first_hop(proxy)


@pytest.mark.parametrize(
    ("url", "serve"),
    [
        ("http://{}", proxies.http()),
        (
            "http://us%40er:se:cret@{}",
            proxies.http(wants="Proxy-Authorization: Basic dXNAZXI6c2U6Y3JldA=="),
        ),
        ("socks5://{}", proxies.socks()),
        ("socks5://user:secret@{}", proxies.socks(login=b"\x01\x04user\x06secret")),
    ],
)
async def test_whatsapp_is_asked_through_the_proxy(
    url: str, serve: proxies.Serve, whatsapp_tls: ssl.SSLContext
) -> None:
    """By the proxy's own rules, with its name and password; a handshake's end is enough."""
    async with proxies.proxy(serve, whatsapp_tls) as port:
        assert await reach(first_hop(url.format(f"127.0.0.1:{port}"))) is None


async def test_without_a_proxy_whatsapp_itself_is_asked(whatsapp_tls: ssl.SSLContext) -> None:
    """A handshake right on the first connection."""
    async with proxies.proxy(proxies.nothing, whatsapp_tls) as port:
        assert await reach(Hop("127.0.0.1", port)) is None


@pytest.mark.parametrize(
    ("url", "serve", "words"),
    [
        ("http://{}", proxies.http("502 Down"), "it answers 502 Down"),
        ("http://{}", proxies.http(wants="x"), "it answers 407 Proxy Authentication Required"),
        ("socks5://{}", proxies.socks(refusal=4), "host unreachable"),
        ("socks5://{}", proxies.socks(refusal=99), "error 99"),
        ("socks5://{}", proxies.socks(login=b"x"), "it wants a name and a password"),
        ("socks5://a:b@{}", proxies.socks(login=b"\x01\x01a\x01c"), "refuses the name"),
    ],
)
async def test_a_proxy_that_leads_nowhere_says_why(
    url: str, serve: proxies.Serve, words: str
) -> None:
    """Its own refusal, and that it was the proxy."""
    async with proxies.proxy(serve) as port:
        reason = await reach(first_hop(url.format(f"127.0.0.1:{port}")))
    assert reason is not None
    assert reason.startswith(
        f"web.whatsapp.com cannot be reached through the proxy 127.0.0.1:{port}"
    )
    assert words in reason


@pytest.mark.parametrize("url", ["http://{}", "socks5://{}"])
async def test_what_swallows_a_handshake_is_not_reachable(url: str) -> None:
    """A way that accepts a connection and then keeps silent is none; it is not waited for long."""
    serve = proxies.http() if url.startswith("http") else proxies.socks()
    async with proxies.proxy(serve) as port:
        reason = await reach(first_hop(url.format(f"127.0.0.1:{port}")), timeout_s=0.2)
    async with proxies.proxy(proxies.nothing) as direct:
        silent = await reach(Hop("127.0.0.1", direct), timeout_s=0.2)
    assert reason == f"web.whatsapp.com behind 127.0.0.1:{port} does not answer within 0.2 s"
    assert silent == f"127.0.0.1:{direct} does not answer within 0.2 s"


async def test_what_hangs_up_is_not_reachable() -> None:
    """A connection closed in the middle is a reason, not a fault of ours."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise EOFError

    async with proxies.proxy(hang_up) as port:
        assert await reach(first_hop(f"http://127.0.0.1:{port}")) is not None
        assert await reach(Hop("127.0.0.1", port)) is not None


async def test_nobody_there_is_told_with_the_reason() -> None:
    """The reason names the place and what went wrong."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        reason = await reach(Hop("127.0.0.1", port))
    assert reason is not None
    assert reason.startswith(f"127.0.0.1:{port} cannot be reached: ")


async def test_silence_is_bounded() -> None:
    """A host that swallows connections is given up after the time-out."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = full.getsockname()
        waiting = []
        for _ in range(4):  # fill the queue of connections that nobody accepts
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(place)
            waiting.append(one)
        reason = await reach(Hop(*place), timeout_s=0.1)
        for one in waiting:
            one.close()
    assert reason is not None
    assert "does not answer within 0.1 s" in reason
