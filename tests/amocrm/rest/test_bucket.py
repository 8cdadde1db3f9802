"""How often amoCRM is asked."""

from __future__ import annotations

import asyncio

from relay.amocrm.errors import UnreachableError
from relay.amocrm.rest.bucket import MOST_WAITING, Bucket
from relay.domain.retry import MINUTE, SECOND
from tests.amocrm.rest.rig import QuickClock


async def test_never_seven_within_a_second() -> None:
    """However many ask at once, any window of a second holds six requests at most."""
    clock, moments = QuickClock(), list[int]()
    bucket = Bucket(clock)

    async def pass_by() -> None:
        await bucket.turn(clock.ms + MINUTE)
        moments.append(clock.ms)

    await asyncio.gather(*(pass_by() for _ in range(60)))
    assert moments == sorted(moments)
    assert all(sum(at <= other <= at + SECOND for other in moments) <= 6 for at in moments)


async def test_the_line_has_an_end() -> None:
    """Who finds the line full is told so at once, and those in it are served."""
    clock = QuickClock()
    bucket = Bucket(clock)
    turns = [bucket.turn(clock.ms + MINUTE) for _ in range(1 + MOST_WAITING + 5)]
    done = await asyncio.gather(*turns, return_exceptions=True)
    assert [isinstance(it, UnreachableError) for it in done] == (
        [False] * (1 + MOST_WAITING) + [True] * 5
    )


async def test_who_gives_up_lets_the_next_one_by() -> None:
    """A cancelled wait leaves its place in the line."""
    bucket = Bucket(QuickClock())
    await bucket.turn(2**60)
    waits = [asyncio.create_task(bucket.turn(2**60)) for _ in range(2)]
    await asyncio.sleep(0)
    waits[0].cancel()
    await asyncio.wait_for(waits[1], 5)
    assert waits[0].cancelled()
