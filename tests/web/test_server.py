"""One HTTP server on one socket."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from relay.web.server import Server, address, bind, bind_unix


class Slow:
    """A handler that answers when it is let go."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.let_go = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.entered.set()
        await self.let_go.wait()
        return web.Response(text="done")


async def _hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_it_serves_from_entering_to_leaving() -> None:
    """Requests are answered inside, refused outside."""
    sock = bind("127.0.0.1", 0)
    url = f"http://{address(sock)}/"
    async with aiohttp.ClientSession() as session:
        async with Server(sock, [web.get("/", _hello)]), session.get(url) as answer:
            assert await answer.text() == "hello"
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_requests_in_hand_are_finished() -> None:
    """Leaving waits for an answer under way, and asks its receiver not to come again on it."""
    sock, slow = bind("127.0.0.1", 0), Slow()
    server = Server(sock, [web.get("/", slow.handle)])
    await server.__aenter__()
    async with aiohttp.ClientSession() as session:
        request = asyncio.create_task(session.get(f"http://{address(sock)}/"))
        await slow.entered.wait()
        leaving = asyncio.create_task(server.__aexit__(None, None, None))
        for _ in range(20):
            await asyncio.sleep(0)
        slow.let_go.set()
        async with await request as answer:
            assert await answer.text() == "done"
            assert answer.headers["Connection"] == "close"
        await leaving


async def test_a_connection_just_accepted_gets_its_answer() -> None:
    """With a last call, whoever was let in before leaving may still say what he came for."""
    sock = bind("127.0.0.1", 0)
    where = sock.getsockname()
    server = Server(sock, [web.get("/", _hello)], last_call=True)
    await server.__aenter__()
    reader, writer = await asyncio.open_connection(*where)
    for _ in range(20):
        await asyncio.sleep(0)
    leaving = asyncio.create_task(server.__aexit__(None, None, None))
    for _ in range(20):
        await asyncio.sleep(0)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await reader.read()).endswith(b"hello")
    writer.close()
    await leaving


async def test_what_nobody_accepted_waits_for_the_next() -> None:
    """A connection still in the queue of an inherited socket is the next server's."""
    held = bind("127.0.0.1", 0)
    with held:
        async with Server(held.dup(), [web.get("/", _hello)]):
            pass
        reader, writer = await asyncio.open_connection(*held.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        async with Server(held.dup(), [web.get("/", _hello)]):
            assert (await reader.read()).endswith(b"hello")
        writer.close()


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_comes_while_it_leaves_is_answered(turns: int) -> None:
    """By this server or by the next, however many turns of the loop his connection is old."""
    held = bind("127.0.0.1", 0)
    with held:
        server = Server(held.dup(), [web.get("/", _hello)], last_call=True)
        await server.__aenter__()
        with socket.create_connection(held.getsockname()) as caller:
            for _ in range(turns):
                await asyncio.sleep(0)
            leaving = asyncio.create_task(server.__aexit__(None, None, None))
            caller.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await leaving
            reader, writer = await asyncio.open_connection(sock=caller.dup())
            async with Server(held.dup(), [web.get("/", _hello)]), asyncio.timeout(60):
                assert (await reader.read()).endswith(b"hello")
            writer.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_port_zero_takes_a_free_port(host: str) -> None:
    """The address of a bound socket can be written into a URL."""
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with bind(host, 0) as sock:
        port = sock.getsockname()[1]
        assert address(sock) == (f"[::1]:{port}" if ":" in host else f"127.0.0.1:{port}")


def test_an_address_in_use_is_an_error() -> None:
    """Binding twice raises, and leaves no socket behind."""
    with bind("127.0.0.1", 0) as sock, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", sock.getsockname()[1])


def test_a_unix_socket_is_its_owners_alone(tmp_path: Path) -> None:
    """Mode 0600 from the first moment; the process's umask is as before."""
    before = os.umask(0o022)
    os.umask(before)
    path = tmp_path / "s"
    with bind_unix(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    now = os.umask(before)
    assert now == before


def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    """What a killed relay left behind does not keep the next from opening its own."""
    path = tmp_path / "s"
    bind_unix(path).close()
    with bind_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def _has_ipv6() -> bool:
    try:
        bind("::1", 0).close()
    except OSError:
        return False
    return True
