"""Those who come while the thread is at work are served together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay.media.together import Together


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


class Work:
    """Notes its groups; ``go`` lets it work."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, group: Sequence[int]) -> None:
        self.go.wait(30)
        self.groups.append(list(group))
        if -1 in group:
            raise ValueError


async def test_who_waits_is_served_together(threads: ThreadPoolExecutor) -> None:
    """In the order of coming, and not too many at once."""
    work = Work()
    together = Together[int](threads, work, most=3)
    all_ = [asyncio.create_task(together(number)) for number in range(6)]
    await asyncio.sleep(0)
    work.go.set()
    await asyncio.gather(*all_)
    assert work.groups == [[0], [1, 2, 3], [4, 5]]


async def test_who_left_is_not_worked_for(threads: ThreadPoolExecutor) -> None:
    """Unless the work has begun."""
    work = Work()
    together = Together[int](threads, work, most=3)
    all_ = [asyncio.create_task(together(number)) for number in range(4)]
    await asyncio.sleep(0)
    all_[0].cancel()
    all_[2].cancel()
    await asyncio.sleep(0)
    work.go.set()
    done = await asyncio.gather(*all_, return_exceptions=True)
    assert [isinstance(end, asyncio.CancelledError) for end in done] == [True, False, True, False]
    assert work.groups == [[0], [1, 3]]


async def test_a_fault_is_told_to_its_group_alone(threads: ThreadPoolExecutor) -> None:
    """Those who came later are served."""
    work = Work()
    work.go.set()
    together = Together[int](threads, work, most=2)
    done = await asyncio.gather(*map(together, [0, -1, 2, 3]), return_exceptions=True)
    assert [type(end) for end in done] == [type(None), ValueError, ValueError, type(None)]


async def test_nobody_waits_for_threads_that_are_gone() -> None:
    """Not those whose work was never begun, and not those who come later."""
    work, threads = Work(), ThreadPoolExecutor(1)
    together = Together[int](threads, work, most=2)
    block = threads.submit(work.go.wait, 30)
    waiting = [asyncio.create_task(together(number)) for number in range(3)]
    await asyncio.sleep(0)
    threads.shutdown(wait=False, cancel_futures=True)
    done = await asyncio.gather(*waiting, return_exceptions=True)
    work.go.set()
    await asyncio.wrap_future(block)
    assert [type(end) for end in done] == [asyncio.CancelledError, RuntimeError, RuntimeError]
    with pytest.raises(RuntimeError):
        await together(4)


async def test_in_a_rush_more_are_served_together(threads: ThreadPoolExecutor) -> None:
    """Who comes first is served at once; then it rests, until enough wait."""
    work = Work()
    work.go.set()
    together = Together[int](threads, work, most=3, pause_s=3600)
    await together(0)
    early = [asyncio.create_task(together(number)) for number in (1, 2)]
    done, _ = await asyncio.wait(early, timeout=0.05)  # nothing is to happen
    assert not done
    async with asyncio.timeout(30):  # far less than the rest
        await together(3)
        await asyncio.gather(*early)
    assert work.groups == [[0], [1, 2, 3]]


async def test_nobody_waits_longer_than_for_the_rest(threads: ThreadPoolExecutor) -> None:
    """However few came."""
    work = Work()
    work.go.set()
    together = Together[int](threads, work, most=3, pause_s=0.001)
    for number in range(3):
        await together(number)
    assert work.groups == [[0], [1], [2]]
