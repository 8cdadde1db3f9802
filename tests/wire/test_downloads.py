"""Downloads: the head first, then the body, as fast as somebody takes it."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from relay.wire.direct import connect
from relay.wire.downloads import HELD, Downloads
from relay.wire.line import BrokenError
from tests.clock import settle
from tests.wire.peer import OK, Peer, peer, until

_READ = 256 * 1024  # that much asyncio reads at once
LARGE = bytes(range(256)) * (1 << 13)  # two megabytes


def file(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


@asynccontextmanager
async def downloads() -> AsyncIterator[Downloads]:
    wire = Downloads(connect)
    try:
        yield wire
    finally:
        await wire.close()


async def read(wire: Downloads, url: str) -> bytes:
    async with wire.get(url, {}) as answer:
        return b"".join([piece async for piece in answer])


async def test_files_come_whole_over_one_connection() -> None:
    """Small, large and empty ones, in pieces that are never larger than what may be in memory."""
    async with peer() as there, downloads() as wire:
        for body in (b"small", LARGE, b"", LARGE[:100_000]):
            there.answers = [file(body)]
            async with wire.get(there.url, {}) as answer:
                pieces = [piece async for piece in answer]
            assert b"".join(pieces) == body
            assert all(0 < len(piece) < HELD + _READ for piece in pieces)
        assert there.connections == 1


async def test_the_head_comes_first() -> None:
    """Status and headers, however they are written; a header that is not there is empty."""
    async with peer() as there, downloads() as wire:
        there.answers = [file(b"ef", b"206 Part", b"CONTENT-RANGE: bytes 4-5/6", b"X: \xe9")]
        async with wire.get(there.url, {}) as answer:
            assert answer.status == 206
            assert answer.header("content-range") == "bytes 4-5/6"
            assert (answer.header("x"), answer.header("location")) == ("é", "")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/"),
        ("?a=1", "/?a=1"),
        ("/v/f.enc?ccb=1-7&oh=01_Q&x=%2f+", "/v/f.enc?ccb=1-7&oh=01_Q&x=%2f+"),
        ("/a b\x0bc/é?ü#here", "/a%20b%0Bc/%C3%A9?%C3%BC"),
    ],
)
async def test_what_is_asked_is_what_the_address_names(path: str, asked: str) -> None:
    """A place that is signed is asked for as it is written; what cannot be written is quoted."""
    async with peer() as there, downloads() as wire:
        there.answers = [OK]
        await read(wire, there.url + path)
        first, *lines = there.heads[0].decode().split("\r\n")
        assert first == f"GET {asked} HTTP/1.1"
        assert f"Host: 127.0.0.1:{there.port}" in lines
        assert "Accept-Encoding: identity" in lines


async def test_headers_are_sent_along() -> None:
    """Behind our own."""
    async with peer() as there, downloads() as wire:
        there.answers = [OK]
        async with wire.get(there.url, {"Range": "bytes=5-", "X": "y"}) as answer:
            assert answer.status == 200
        assert there.heads[0].endswith(b"Range: bytes=5-\r\nX: y\r\n\r\n")


@pytest.mark.parametrize("url", ["/f", "https:///f", "ftp://there/f"])
async def test_an_address_without_a_host_is_refused(url: str) -> None:
    """At once, for it will never have one."""
    async with downloads() as wire:
        with pytest.raises(ValueError, match="not the address"):
            wire.get(url, {})


async def test_a_file_that_nobody_takes_stays_over_there() -> None:
    """The host cannot send more than the system's buffers hold; then all of it comes, in order."""
    sent, piece, pieces = 0, LARGE[:65_536], 1_600  # a hundred megabytes

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * pieces))
        for _ in range(pieces):
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server, downloads() as wire:
        port = server.sockets[0].getsockname()[1]
        async with wire.get(f"http://127.0.0.1:{port}/", {}) as answer:
            before = -1
            while before < sent:
                before = sent
                for _ in range(1_000):
                    await asyncio.sleep(0)
            assert sent < len(piece) * pieces / 2
            at = 0
            async for part in answer:
                assert part == (LARGE[at % 256 :] + LARGE[:256])[: len(part)]
                at += len(part)
        assert at == sent == len(piece) * pieces


async def test_a_file_that_is_cut_short_is_given_as_far_as_it_came() -> None:
    """And then one hears of it: whoever has it may ask for the rest."""
    async with peer() as there, downloads() as wire:
        there.answers, there.hang_up = [file(LARGE)[:-1]], True
        came = b""
        with pytest.raises(BrokenError):  # noqa: PT012 - what came before counts
            async with wire.get(there.url, {}) as answer:
                async for piece in answer:
                    came += piece
        assert came == LARGE[:-1]


async def test_a_kept_connection_that_closes_instead_of_answering_is_no_failure() -> None:
    """Its host had done with it: the next one is asked, once for each that was kept."""
    async with peer() as there, downloads() as wire:
        there.answers = [OK, OK]
        await asyncio.gather(read(wire, there.url), read(wire, there.url))
        there.answers, there.hang_up = [b"", b"", OK], True
        assert await read(wire, there.url) == b"{}"
        assert (there.connections, len(there.heads)) == (3, 5)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n"])
async def test_a_host_that_does_not_answer_is_not_asked_on_and_on(said: bytes) -> None:
    """Over a new connection once, or over a kept one on which it has begun to speak."""
    async with peer() as there, downloads() as wire:
        if said:
            there.answers = [OK]
            await read(wire, there.url)
        there.answers, there.hang_up = [said, OK], True
        before = len(there.heads)
        with pytest.raises(BrokenError, match="before it had answered"):
            await read(wire, there.url)
        assert len(there.heads) == before + 1


async def test_a_body_that_nobody_wants_is_not_waited_for() -> None:
    """Its connection ends; the next download has one of its own."""
    async with peer() as there, downloads() as wire:
        there.answers = [file(b"never all of it", b"302 Elsewhere", b"Location: /x")[:-1], OK]
        async with wire.get(there.url, {}) as answer:
            assert answer.status == 302
        assert await read(wire, there.url) == b"{}"
        await until(lambda: there.left == 1)


async def test_given_up_at_any_moment_a_download_leaves_nothing_open() -> None:
    """While it connects, asks, waits or takes; the host sees every connection end."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        async with peer() as there:
            wire = Downloads(connect, connections=1)
            for turns in range(60):
                await _give_up(wire, there, turns)
            there.answers = [OK]
            async with asyncio.timeout(5):  # nobody holds the only connection
                assert await read(wire, there.url) == b"{}"
            await wire.close()
            await until(lambda: there.left == there.connections)
        gc.collect()
    assert [str(one.message) for one in complaints] == []


async def _give_up(wire: Downloads, there: Peer, turns: int) -> None:
    there.answers = [file(LARGE)]
    reading = asyncio.create_task(read(wire, there.url))
    for _ in range(turns):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_who_is_downloading_at_the_end_hears_that_it_broke() -> None:
    """Closing waits for nobody's file."""
    async with peer() as there:
        wire = Downloads(connect)
        there.answers = [file(LARGE)[:-1]]
        reading = asyncio.create_task(read(wire, there.url))
        await there.heard.wait()
        await settle()
        await wire.close()
        with pytest.raises(BrokenError):
            await reading
        with pytest.raises(BrokenError, match="closed"):
            await read(wire, there.url)
        await until(lambda: there.left == 1)
