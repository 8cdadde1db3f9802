"""One connection: whatever comes over it, in whatever portions."""

from __future__ import annotations

import asyncio
import gc
import itertools
import weakref
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.wire.line import LONGEST_HEAD, BrokenError, ClosedError
from tests.clock import settle
from tests.wire.pipe import HandTime, Pipe, read

ROOM = 1_000
HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\n{}"


def sized(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def until_the_end(body: bytes) -> bytes:
    return HEAD + b"\r\n" + body


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes, bool]:
    """A body, an answer of any shape that carries it, and whether its end is the connection's."""
    body = bytes(index % 251 for index in range(draw(st.integers(0, 4_000))))
    shapes = [sized(body), chunked(body, draw(st.integers(1, 700))), until_the_end(body)]
    which = draw(st.integers(0, 2))
    words = draw(st.sampled_from([b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"]))
    return body, words + shapes[which], which == 2


def cut(said: bytes, cuts: list[int]) -> list[bytes]:
    """The same in portions."""
    at = [0, *sorted(n for n in cuts if n < len(said)), len(said)]
    return [said[a:b] for a, b in itertools.pairwise(at) if a < b]


CUTS = st.lists(st.integers(1, 6_000), max_size=12)


@given(answers(), CUTS)
def test_an_answer_comes_whole_and_in_order(
    answer: tuple[bytes, bytes, bool], cuts: list[int]
) -> None:
    """Whatever its shape and however it is cut; no more is in hand than what may be, and a read."""
    body, said, ends = answer
    portions = cut(said, cuts)

    async def run() -> tuple[list[bytes], str]:
        pipe = Pipe(room=ROOM)
        reading = asyncio.create_task(read(pipe.line))
        await asyncio.sleep(0)
        await pipe.say(*portions)
        if ends:
            await pipe.end()
        return await reading

    pieces, words = asyncio.run(run())
    assert (b"".join(pieces), words) == (body, "")
    assert all(len(piece) <= ROOM + max(map(len, portions)) for piece in pieces)


@given(answers(), CUTS, st.integers(0, 5_000))
def test_an_answer_that_is_cut_short_is_never_taken_for_a_whole_one(
    answer: tuple[bytes, bytes, bool], cuts: list[int], after: int
) -> None:
    """What came is given first, in order; then one hears that it broke."""
    body, said, ends = answer
    after = min(after, len(said) - 1)

    async def run() -> tuple[list[bytes], str]:
        pipe = Pipe(room=ROOM)
        reading = asyncio.create_task(read(pipe.line))
        await asyncio.sleep(0)
        await pipe.say(*cut(said[:after], cuts))
        await pipe.end(ConnectionResetError("cut") if ends else None)
        return await reading

    pieces, words = asyncio.run(run())
    assert words
    assert body.startswith(b"".join(pieces))
    if ends:
        assert b"".join(pieces) == said[:after].partition(HEAD + b"\r\n")[2]


async def test_the_host_waits_while_nobody_takes_what_it_says() -> None:
    """Reading stops when the room is full, and goes on when more is asked for, not sooner."""
    pipe = Pipe(room=ROOM)
    told = pipe.line.ask(b"")
    pipe.line.data_received(sized(bytes(9_000))[: ROOM // 2])
    assert not told.done()
    pipe.line.data_received(bytes(ROOM))
    assert told.done()
    assert pipe.paused
    assert len(pipe.line.take()) > ROOM
    await settle()
    assert pipe.paused
    pipe.line.more()
    assert not pipe.paused


async def test_many_small_chunks_fill_the_room_too() -> None:
    """A chunk of one byte weighs more than a byte."""
    pipe = Pipe(room=100_000)
    pipe.line.ask(b"")
    pipe.line.data_received(chunked(bytes(10_000), 1))
    assert pipe.paused or pipe.line.whole
    pipe = Pipe(room=100_000)
    pipe.line.ask(b"")
    pipe.line.data_received(chunked(bytes(10_000), 1)[:-5])
    assert pipe.paused


async def test_a_refusal_is_told_from_its_head_on() -> None:
    """Nobody has to wait for its body, which may never end."""
    pipe = Pipe()
    told = pipe.line.ask(b"")
    pipe.line.data_received(b"HTTP/1.1 404 No\r\nContent-Length: 9\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    assert told.done()
    assert (pipe.line.status, pipe.line.headers[b"x-a"]) == (404, b"2")
    assert not pipe.line.whole


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        HEAD + b"Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
async def test_what_is_no_answer_breaks_the_connection(said: bytes) -> None:
    """Another protocol, a packed body, two lengths: nothing of it is given to anybody."""
    pipe = Pipe()
    reading = asyncio.create_task(read(pipe.line))
    await settle()
    pipe.line.data_received(said)
    pieces, words = await reading
    assert pieces == []
    assert words
    assert pipe.aborted
    assert not pipe.line.whole


@pytest.mark.parametrize(
    ("begun", "on_and_on"),
    [
        (HEAD, b"X: y\r\n" * 100),
        (HEAD + b"X: ", b"y" * 600),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 25),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X: y\r\n" * 100),
    ],
)
async def test_headers_that_do_not_end_are_no_answer(begun: bytes, on_and_on: bytes) -> None:
    """Many, a long one, words beforehand again and again, or behind the body: all are bounded."""
    pipe = Pipe()
    reading = asyncio.create_task(read(pipe.line))
    await settle()
    pipe.line.data_received(begun) if begun else None
    said = 0
    while not pipe.aborted:
        pipe.line.data_received(on_and_on)
        said += len(on_and_on)
        assert said < 2 * LONGEST_HEAD
    _, words = await reading
    assert "headers" in words


async def test_what_follows_an_answer_is_nobody_s() -> None:
    """A second answer in the same breath changes nothing of the first, and ends the connection."""
    pipe = Pipe()
    told = pipe.line.ask(b"")
    pipe.line.data_received(OK + b"HTTP/1.1 500 No\r\nContent-Length: 1\r\nX: y\r\n\r\nx")
    await told
    assert (pipe.line.status, pipe.line.take(), pipe.line.whole) == (200, b"{}", True)
    assert b"x" not in pipe.line.headers
    assert not pipe.line.usable


async def test_what_was_not_taken_of_an_answer_is_no_part_of_the_next() -> None:
    """Who did not want the body of one is not given it with another."""
    pipe = Pipe()
    pipe.line.ask(b"")
    pipe.line.data_received(OK)
    pipe.line.ask(b"")
    pipe.line.data_received(sized(b"another"))
    assert pipe.line.take() == b"another"


@pytest.mark.parametrize("said", [b"HTTP/1.1 408 Too late\r\n\r\n", b"x", b"\r\n"])
async def test_what_nobody_asked_for_ends_the_connection(said: bytes) -> None:
    """Between two requests there is nothing to be said."""
    pipe = Pipe()
    pipe.line.ask(b"")
    pipe.line.data_received(OK)
    assert pipe.line.usable
    pipe.line.data_received(said)
    assert pipe.aborted
    assert not pipe.line.usable


async def test_hung_up_by_us_no_answer_is_whole() -> None:
    """Not even one that ends with its connection."""
    pipe = Pipe()
    reading = asyncio.create_task(read(pipe.line))
    await settle()
    pipe.line.data_received(until_the_end(b"half"))
    pipe.line.hang_up()
    assert await reading == ([b"half"], "it was hung up")


async def test_a_connection_that_is_gone_is_not_asked() -> None:
    """Nor one whose host has said that it is going; whoever asks hears it at once."""
    pipe = Pipe()
    pipe.line.eof_received()
    assert not pipe.line.usable
    pipe = Pipe()
    pipe.line.connection_lost(None)
    assert not pipe.line.usable
    with pytest.raises(BrokenError):
        pipe.line.ask(b"")


@pytest.mark.parametrize(
    ("said", "error"),
    [(b"", ClosedError), (b"H", BrokenError), (HEAD, BrokenError), (OK[:-1], BrokenError)],
)
async def test_only_a_host_that_said_nothing_may_not_have_heard(
    said: bytes, error: type[Exception]
) -> None:
    """A single byte is an answer: what was asked is not asked again."""
    pipe = Pipe()
    pipe.line.ask(b"")
    pipe.line.data_received(said) if said else None
    pipe.line.connection_lost(ConnectionResetError())
    pipe.line.take()
    assert type(pipe.line.more().exception()) is error


async def test_a_connection_that_is_gone_is_held_by_nobody() -> None:
    """Its timer does not outlive it."""
    pipe = Pipe(silence_s=30)
    pipe.line.ask(b"")
    pipe.line.data_received(OK)
    pipe.line.connection_lost(None)
    line = weakref.ref(pipe.line)
    del pipe
    gc.collect()
    assert line() is None


async def test_who_has_not_taken_what_came_is_told_so_at_once() -> None:
    """Nothing else may ever come."""
    pipe = Pipe()
    pipe.line.ask(b"")
    pipe.line.data_received(b"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nsome")
    assert pipe.line.more().done()
    assert pipe.line.take() == b"some"
    assert not pipe.line.more().done()


async def test_a_host_that_falls_silent_has_broken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many seconds from what it said last, again with each request; what came is given."""
    time, pipe = HandTime(monkeypatch), Pipe(silence_s=30)
    pipe.line.ask(b"")
    await time.pass_s(20)
    pipe.line.data_received(OK)
    pipe.line.take()
    await time.pass_s(25)  # nobody asks: nobody waits
    reading = asyncio.create_task(read(pipe.line))
    await settle()
    await time.pass_s(29)
    pipe.line.data_received(sized(b"whole")[:-1])
    await time.pass_s(29)
    assert not reading.done()
    await time.pass_s(1.1)
    assert await reading == ([b"whol"], "it said nothing for 30 s")
    assert pipe.aborted


async def test_a_host_that_must_wait_has_not_fallen_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time begins when there is room again."""
    time, pipe = HandTime(monkeypatch), Pipe(room=ROOM, silence_s=30)
    pipe.line.ask(b"")
    pipe.line.data_received(sized(bytes(3 * ROOM))[: 2 * ROOM])
    assert pipe.paused
    await time.pass_s(100)
    await time.pass_s(20)
    pipe.line.take()
    told = pipe.line.more()
    await time.pass_s(29)
    assert not pipe.aborted
    await time.pass_s(1.1)
    with pytest.raises(BrokenError, match="nothing for 30 s"):
        await told


async def test_there_is_one_timer_however_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of answers within the time of one silence would leave as many behind."""
    time, pipe, timers = HandTime(monkeypatch), Pipe(silence_s=30), list[float]()
    loop = asyncio.get_running_loop()
    later = loop.call_later

    def counted(delay: float, look: Callable[[], None]) -> asyncio.TimerHandle:
        timers.append(delay)
        return later(delay, look)

    monkeypatch.setattr(loop, "call_later", counted)
    for _ in range(3):
        pipe.line.ask(b"")
        pipe.line.data_received(OK)
        await time.pass_s(1)
    assert timers == [30]
