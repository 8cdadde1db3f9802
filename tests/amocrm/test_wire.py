"""The wire: connections are kept, never trusted, and none is left behind."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

import relay.amocrm.wire
from relay.amocrm.answers import Answer
from relay.amocrm.errors import UnreachableError
from relay.amocrm.wire import LONGEST_ANSWER, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """A server that gives each request the next answer; its connections are kept."""

    url: str = ""
    answers: list[bytes] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    hang_up: bool = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.heads.append(head)
                self.heard.set()
                if self.answers:
                    writer.write(self.answers.pop(0))
                if self.hang_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.gone.set()
        writer.close()


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    server = await asyncio.start_server(peer.talk, "127.0.0.1", 0)
    async with server:
        peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield peer
        for writer in peer.writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in peer.writers), return_exceptions=True)


async def post(wire: Wire, timeout_s: float = 5) -> Answer:
    return await wire.post("/v2/x", {"Date": "now"}, b"body", timeout_s=timeout_s)


async def until(true: Callable[[], bool]) -> None:
    """Back once it is so; the loop goes on meanwhile."""
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


async def test_a_connection_is_used_again() -> None:
    """Posts one after the other go over one connection."""
    async with peer() as other, Wire(other.url + "/prefix/") as wire:
        other.answers = [OK, OK, OK]
        for _ in range(3):
            assert await post(wire) == Answer(200, b"{}")
        assert other.connections == 1
        assert other.heads[0].startswith(b"POST /prefix/v2/x HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_nothing_is_left_open() -> None:
    """At the end every connection is gone, one that is in the middle of an answer too."""
    async with peer() as other:
        async with Wire(other.url) as wire:
            other.answers = [OK]
            await post(wire)
            waiting = asyncio.create_task(post(wire))
            await until(lambda: len(other.heads) == 2)
        with pytest.raises(UnreachableError):
            await waiting
        await other.gone.wait()
        assert not wire.lines


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 408 Too late\r\n\r\n"])
async def test_what_happens_on_a_kept_connection_ends_it(said: bytes) -> None:
    """A connection that its server closed, or spoke on unasked, is not used again."""
    async with peer() as other, Wire(other.url) as wire:
        other.answers = [OK, OK]
        await post(wire)
        other.writers[0].write(said) if said else other.writers[0].close()
        await until(lambda: not wire.lines)
        assert (await post(wire)).status == 200
        assert other.connections == 2


async def test_a_second_answer_to_one_request_is_nobody_s() -> None:
    """What follows an answer in the same breath is not taken for the answer to the next request."""
    async with peer() as other, Wire(other.url) as wire:
        other.answers = [OK + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", OK]
        assert [(await post(wire)).status, (await post(wire)).status] == [200, 200]
        assert other.connections == 2


async def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has long been silent may have been forgotten by whatever stands between."""
    async with peer() as other, Wire(other.url) as wire:
        other.answers = [OK, OK]
        await post(wire)
        monkeypatch.setattr(relay.amocrm.wire, "KEPT_S", 0.0)
        await post(wire)
        assert other.connections == 2


async def test_given_up_at_any_moment_it_leaves_no_socket_behind() -> None:
    """Not even one that was just being connected."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        async with peer() as there, Wire(there.url) as wire:
            for turns in range(30):
                post = asyncio.create_task(wire.post("/", {}, b"{}", timeout_s=5))
                for _ in range(turns):
                    await asyncio.sleep(0)
                post.cancel()
                await asyncio.gather(post, return_exceptions=True)
        gc.collect()
    assert [str(one.message) for one in complaints] == []


async def test_a_given_up_request_ends_its_connection() -> None:
    """The answer to a request that nobody waits for any more is never given to another."""
    async with peer() as other, Wire(other.url) as wire:
        given_up = asyncio.create_task(post(wire))
        await other.heard.wait()
        given_up.cancel()
        await asyncio.wait([given_up])
        other.answers = [OK]
        assert (await post(wire)).status == 200
        assert other.connections == 2


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", Answer(200, b"until the end")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Answer(200, b"{}")),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK, Answer(200, b"{}")),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", Answer(204, b"")),
        (b"HTTP/1.0 503 No\r\nRetry-After: 3\r\nDATE: d\r\n\r\n", Answer(503, b"", "d", "3")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
            Answer(200, b"{}"),
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999,
            Answer(200, b"x" * LONGEST_ANSWER),
        ),
    ],
)
async def test_answers_of_every_shape(said: bytes, answer: Answer) -> None:
    """Whole at once or byte by byte, with or without a length, after other words, too long."""
    async with peer() as other, Wire(other.url) as wire:
        other.hang_up = True
        other.answers = [said]
        assert await post(wire) == answer


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX: 1\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
    ],
)
async def test_what_is_no_answer(said: bytes) -> None:
    """Another protocol, a packed body, headers without an end."""
    async with peer() as other, Wire(other.url) as wire:
        other.hang_up = True
        other.answers = [said]
        with pytest.raises(UnreachableError):
            await post(wire)


async def test_a_certificate_of_nobody_s_is_unreachable() -> None:
    """A host that does not speak TLS where it should is not told anything."""
    async with peer() as other, Wire(other.url.replace("http", "https")) as wire:
        other.answers = [OK]
        with pytest.raises(UnreachableError):
            await post(wire, timeout_s=0.2)
        assert other.heads == []
