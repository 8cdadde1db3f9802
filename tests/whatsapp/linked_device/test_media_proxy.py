"""The media host is reached through the channel's proxy, and in no other way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from relay.whatsapp.linked_device.media_errors import HostError
from relay.whatsapp.linked_device.media_host import MediaHost
from relay.whatsapp.linked_device.sealed import Sealed

SEALED = Sealed("Image", "", "/v/f", b"k" * 32, b"", b"")
Asked = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[str]]


@asynccontextmanager
async def proxy(asked: Asked) -> AsyncIterator[tuple[int, list[str]]]:
    """A proxy that hears where it should lead to, and hangs up."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await asked(reader, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    *_, kind, size = await reader.readexactly(5)
    assert kind == 3  # a name: it is looked up over there
    name = await reader.readexactly(size)
    return f"{name.decode()}:{int.from_bytes(await reader.readexactly(2), 'big')}"


async def connect(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert "Proxy-Authorization: Basic YTpi" in head
    return head.split()[1]


async def nothing(_: bytes) -> None:
    raise AssertionError("nothing can have come")


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("socks5://127.0.0.1:{}", socks),
        ("socks5h://127.0.0.1:{}", socks),
        ("http://a:b@127.0.0.1:{}", connect),
    ],
)
async def test_a_file_is_asked_for_through_the_proxy(url: str, asked: Asked) -> None:
    """Names are looked up there; if it hangs up, nobody goes around it."""
    async with proxy(asked) as (port, heard):
        host = MediaHost(url.format(port))
        async with host.opened():
            with pytest.raises(HostError):
                await host.fetch(SEALED, nothing)
    assert set(heard) == {"mmg.whatsapp.net:443"}


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://a:b@127.0.0.1:{}", connect),
        ("a:b@127.0.0.1:{}", connect),
        ("socks5://127.0.0.1:{}", socks),
    ],
)
async def test_a_channel_without_one_uses_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, url: str, asked: Asked
) -> None:
    """As the library does on its own way, however the environment writes it."""
    async with proxy(asked) as (port, heard):
        monkeypatch.setenv("https_proxy", url.format(port))
        monkeypatch.delenv("no_proxy", raising=False)
        host = MediaHost(None)
        async with host.opened():
            with pytest.raises(HostError):
                await host.fetch(SEALED, nothing)
    assert set(heard) == {"mmg.whatsapp.net:443"}


async def test_a_proxy_that_is_not_there_is_no_way_around_it() -> None:
    """The file waits; nothing is fetched directly."""
    async with proxy(connect) as (port, _):
        pass
    host = MediaHost(f"socks5://127.0.0.1:{port}")
    async with host.opened():
        with pytest.raises(HostError):
            await host.fetch(SEALED, nothing)


async def test_nothing_is_fetched_by_a_channel_that_has_stopped() -> None:
    """Its connections are closed for good."""
    host = MediaHost(None)
    async with host.opened():
        pass
    with pytest.raises(HostError, match="stopped"):
        await host.fetch(SEALED, nothing)
