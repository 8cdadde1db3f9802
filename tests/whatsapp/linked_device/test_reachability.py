"""Where the first connection goes, and whether it can be made."""

from __future__ import annotations

import asyncio
import socket

import pytest

from relay.whatsapp.linked_device.reachability import Hop, first_hop, reach

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


async def test_something_that_listens_is_reachable() -> None:
    """A TCP connection is enough, and it is closed again."""
    closed = asyncio.Event()

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert not await reader.read()
        writer.close()
        closed.set()

    async with await asyncio.start_server(look, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await reach(Hop("127.0.0.1", port)) is None
        await closed.wait()


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
