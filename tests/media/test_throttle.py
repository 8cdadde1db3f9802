"""How fast large files pass."""

from __future__ import annotations

import asyncio

from relay.media.throttle import SharedThrottle
from tests.clock import HandClock, settle

RATE, PIECE = 1_000_000, 250_000  # four pieces a second


class Line:
    """Files that pass through one throttle; ``passed`` are whose pieces went, and when."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.passed: list[tuple[str, int]] = []
        self._throttle = SharedThrottle(self.clock, RATE)

    async def file(self, name: str, pieces: int) -> None:
        for _ in range(pieces):
            await self._throttle(PIECE)
            self.passed.append((name, self.clock.elapsed_ms()))


async def test_together_they_pass_at_the_rate() -> None:
    """However many files come at a time, the bytes of all are as many a second as it says."""
    line = Line()
    async with asyncio.TaskGroup() as files:
        for name in "abcde":
            files.create_task(line.file(name, 8))
        await line.clock.advance_ms(10_000)
    assert [at for _, at in line.passed] == [250 * (n + 1) for n in range(40)]


async def test_nothing_is_saved_up_while_none_passes() -> None:
    """After a long silence a file comes no faster than any other."""
    line = Line()
    await line.clock.advance_ms(3_600_000)
    async with asyncio.TaskGroup() as files:
        files.create_task(line.file("a", 4))
        await line.clock.advance_ms(1_000)
    assert [at - 3_600_000 for _, at in line.passed] == [250, 500, 750, 1000]


async def test_files_take_turns() -> None:
    """A file that comes while a longer one passes has half of the line from then on."""
    line = Line()
    async with asyncio.TaskGroup() as files:
        files.create_task(line.file("long", 10))
        await line.clock.advance_ms(1_000)
        files.create_task(line.file("short", 3))
        await line.clock.advance_ms(9_000)
    names = [name for name, _ in line.passed]
    assert names[4:11] == ["long", "short"] * 3 + ["long"]


async def test_who_is_cancelled_leaves_the_line() -> None:
    """Whether at its head or further behind, nobody waits for his pieces any more."""
    line = Line()
    head, second, third = (asyncio.create_task(line.file(name, 1)) for name in "abc")
    await line.clock.advance_ms(100)
    head.cancel()
    second.cancel()
    await line.clock.advance_ms(250)
    assert line.passed == [("c", 350)]
    assert third.done()


async def test_a_clock_that_is_set_changes_nothing() -> None:
    """Neither hours back nor hours on."""
    line = Line()
    file = asyncio.create_task(line.file("a", 3))
    for hours in (-5, 5, 0):
        await settle()
        line.clock.jump_ms(hours * 3_600_000)
        await line.clock.advance_ms(250)
    assert [at for _, at in line.passed] == [250, 500, 750]
    assert file.done()
