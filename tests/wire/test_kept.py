"""Connections are kept, never trusted, and none is left behind."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

import relay.wire.kept
from relay.wire.direct import connect
from relay.wire.kept import Kept
from relay.wire.line import BrokenError, Place
from tests.clock import settle
from tests.wire.peer import OK, Peer, peer, until
from tests.wire.pipe import REQUEST, HandTime


def kept(connections: int = 8) -> Kept:
    return Kept(connect, connections, room=1_000)


async def ask(lines: Kept, place: Place) -> int:
    """One request; the status of its answer."""
    line = await lines.take(place)
    try:
        await line.ask(REQUEST)
        return line.status
    finally:
        lines.leave(line)


async def test_a_connection_is_used_again() -> None:
    """Requests one after the other go over one connection."""
    async with peer() as there:
        lines, there.answers = kept(), [OK, OK, OK]
        for _ in range(3):
            assert await ask(lines, there.place) == 200
        assert there.connections == 1
        await lines.close()


async def test_it_is_kept_for_its_own_place_only() -> None:
    """What goes to another host, or to the same one in secret, never goes over it."""
    opened = list[Place]()

    async def openly(line: asyncio.Protocol, place: Place) -> None:
        opened.append(place)
        await connect(line, place._replace(secure=False))

    async with peer() as one, peer() as other:
        places = [one.place, other.place, one.place._replace(secure=True)]
        lines = Kept(openly, 8, room=1_000)
        one.answers, other.answers = [OK] * 4, [OK] * 2
        for place in [*places, *places]:
            assert await ask(lines, place) == 200
        assert opened == places
        await lines.close()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 408 Too late\r\n\r\n"])
async def test_what_happens_on_a_kept_connection_ends_it(said: bytes) -> None:
    """A connection that its server closed, or spoke on unasked, is not used again."""
    async with peer() as there:
        lines, there.answers = kept(), [OK, OK]
        await ask(lines, there.place)
        there.writers[0].write(said) if said else there.writers[0].close()
        await until(lambda: not lines.lines)
        assert await ask(lines, there.place) == 200
        assert there.connections == 2
        await lines.close()


async def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has long been silent may have been forgotten by whatever stands between."""
    async with peer() as there:
        lines, there.answers = kept(), [OK, OK]
        await ask(lines, there.place)
        monkeypatch.setattr(relay.wire.kept, "KEPT_S", 0.0)
        await ask(lines, there.place)
        assert there.connections == 2
        await until(lambda: there.left == 1)
        await lines.close()


@pytest.mark.parametrize(
    "said",
    [
        OK[:-1],
        b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        OK + OK,
    ],
)
async def test_only_after_a_whole_answer_and_nothing_else_it_is_used_again(said: bytes) -> None:
    """Not in mid-answer, nor if the server wants to close it, nor after an answer too many."""
    async with peer() as there:
        lines, there.answers = kept(), [said, OK]
        line = await lines.take(there.place)
        told = line.ask(REQUEST)
        await until(lambda: line.status > 0)
        told.cancel()
        lines.leave(line)
        assert await ask(lines, there.place) == 200
        assert there.connections == 2
        await lines.close()


async def test_the_answer_to_a_request_that_was_given_up_is_nobody_s() -> None:
    """It would be given to whoever asks next."""
    async with peer() as there:
        lines = kept()
        given_up = asyncio.create_task(ask(lines, there.place))
        await there.heard.wait()
        given_up.cancel()
        await asyncio.wait([given_up])
        there.answers = [OK]
        assert await ask(lines, there.place) == 200
        assert there.connections == 2
        await lines.close()


async def test_there_are_never_more_than_there_may_be() -> None:
    """Who comes too late waits for a turn, and gets it whatever becomes of those before."""
    async with peer() as there:
        lines = kept(2)
        asking = [asyncio.create_task(ask(lines, there.place)) for _ in range(5)]
        await until(lambda: len(there.heads) == 2)
        await settle()
        assert there.connections == len(lines.lines) == 2
        asking[0].cancel()
        await until(lambda: len(there.heads) == 3)
        there.writers[1].close()
        await until(lambda: len(there.heads) == 4)
        await until(lambda: len(lines.lines) == 2)
        await lines.close()
        done = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert all(isinstance(one, BrokenError) for one in done[1:])


async def test_those_that_nobody_uses_make_room_for_another_place() -> None:
    """The one that was left first is the first to go."""
    async with peer() as one, peer() as two:
        lines = kept(3)
        one.answers, two.answers = [OK] * 3, [OK] * 2
        first, second = [await lines.take(one.place) for _ in range(2)]
        for line in (first, second):
            await line.ask(REQUEST)
            lines.leave(line)
        await ask(lines, two.place)
        await ask(lines, Place("localhost", two.port, secure=False))
        await until(lambda: one.left == 1)
        assert (first.usable, second.usable) == (False, True)
        await ask(lines, one.place)
        assert (one.connections, two.connections) == (2, 2)
        await lines.close()


async def test_one_that_is_just_going_is_not_used_again() -> None:
    """Although its place among the others is not empty yet."""
    async with peer() as there:
        lines, there.answers = kept(), [OK, OK]
        line = await lines.take(there.place)
        await line.ask(REQUEST)
        lines.leave(line)
        line.hang_up()
        assert await ask(lines, there.place) == 200
        await lines.close()


async def test_what_is_gone_is_not_remembered() -> None:
    """Neither the connection nor its place: a stranger's message may have named that."""
    async with peer() as there:
        lines, there.answers = kept(), [OK]
        await ask(lines, there.place)
        there.writers[0].close()
        await until(lambda: not lines.lines)
        assert lines._idle == {}


async def test_a_connection_that_is_made_in_vain_is_not_left_open() -> None:
    """Whatever went wrong after it stood."""

    async def in_vain(line: asyncio.Protocol, place: Place) -> None:
        await connect(line, place)
        raise OSError("not the host that it should be")

    async with peer() as there:
        lines = Kept(in_vain, 1, room=1)
        with pytest.raises(OSError, match="not the host"):
            await lines.take(there.place)
        await until(lambda: there.left == 1)


async def test_nothing_is_left_open() -> None:
    """At the end every connection is gone, one in mid-answer too, and no other one is made."""
    async with peer() as there:
        lines, there.answers = kept(), [OK]
        await ask(lines, there.place)
        waiting = asyncio.create_task(ask(lines, there.place))
        await until(lambda: len(there.heads) == 2)
        await lines.close()
        assert not lines.lines
        with pytest.raises(BrokenError):
            await waiting
        with pytest.raises(BrokenError, match="closed"):
            await ask(lines, there.place)
        await until(lambda: there.left == there.connections == 1)


async def test_who_is_connecting_is_given_up_at_the_end() -> None:
    """Nobody waits for a host that does not answer; once closed, nothing is under way."""
    ended = asyncio.Event()

    async def never(line: asyncio.Protocol, place: Place) -> None:
        if not place.secure:
            await connect(line, place)
            return
        try:
            await asyncio.Event().wait()
        finally:
            await settle()
            ended.set()

    async with peer() as there:
        lines, there.answers = Kept(never, 2, room=1), [OK]
        await ask(lines, there.place)
        connecting = asyncio.create_task(lines.take(there.place._replace(secure=True)))
        await settle()
        closing = asyncio.create_task(lines.close())
        await until(closing.done)
        assert ended.is_set()
        with pytest.raises(TimeoutError):
            await connecting


async def test_connecting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that lets itself be dialled and never answers is given up, and its turn is free."""

    async def never(line: asyncio.Protocol, place: Place) -> None:
        await asyncio.Event().wait()

    time, lines, place = HandTime(monkeypatch), Kept(never, 1, room=1), Place("x", 80, secure=False)
    for _ in range(2):
        connecting = asyncio.create_task(lines.take(place))
        await settle()
        await time.pass_s(14)
        assert not connecting.done()
        await time.pass_s(2)
        with pytest.raises(TimeoutError):
            await connecting


async def test_given_up_at_any_moment_it_leaves_no_socket_behind() -> None:
    """Not even one that was just being connected."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        async with peer() as there:
            lines = kept()
            for turns in range(30):
                await _give_up(lines, there, turns)
            await lines.close()
            await until(lambda: there.left == there.connections)
        gc.collect()
    assert [str(one.message) for one in complaints] == []


async def _give_up(lines: Kept, there: Peer, turns: int) -> None:
    asking = asyncio.create_task(ask(lines, there.place))
    for _ in range(turns):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
