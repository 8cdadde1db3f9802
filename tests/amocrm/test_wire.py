"""Posts over kept connections (whose own laws are held in ``tests/wire``)."""

from __future__ import annotations

import asyncio

import pytest

from relay.amocrm.answers import Answer
from relay.amocrm.errors import UnreachableError
from relay.amocrm.wire import LONGEST_ANSWER, Wire
from tests.wire.peer import OK, peer, until


async def post(wire: Wire, timeout_s: float = 5) -> Answer:
    return await wire.post("/v2/x", {"Date": "now"}, b"body", timeout_s=timeout_s)


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
        await until(lambda: other.left == other.connections == 1)


async def test_a_post_that_is_given_up_ends_its_connection() -> None:
    """After its time, too: its answer would be taken for that to the next post."""
    async with peer() as other, Wire(other.url) as wire:
        with pytest.raises(UnreachableError, match=r"within 0\.01 s"):
            await post(wire, timeout_s=0.01)
        other.answers = [OK]
        assert (await post(wire)).status == 200
        await until(lambda: other.left == 1)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", Answer(200, b"until the end")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Answer(200, b"{}")),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK, Answer(200, b"{}")),
        (b"HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\n{}", Answer(400, b"{}")),
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
