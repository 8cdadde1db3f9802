"""Does for many at once, on a thread, what costs little more for many than for one."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Whoever comes while the thread is at work waits, and is served with all others who wait.

    ``work`` is given at most ``most``, in the order in which they came; it is never at work twice
    at a time. Between two times it rests for ``pause_s``, unless ``most`` wait: who comes alone is
    served at once, and of those who come in a rush more are served together.
    """

    def __init__(
        self,
        threads: concurrent.futures.Executor,
        work: Callable[[Sequence[T]], None],
        most: int,
        pause_s: float = 0.0,
    ) -> None:
        self._threads = threads
        self._work = work
        self._most = most
        self._pause_s = pause_s
        self._pause: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[T, asyncio.Future[None]]] = deque()
        self._working = False

    async def __call__(self, one: T) -> None:
        """Back once the work was done for this one; raises what the work raises."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._pause is None or len(self._waiting) >= self._most:
            self._go_on()
        await future

    def _go_on(self) -> None:
        group = list[tuple[T, asyncio.Future[None]]]()
        while self._waiting and len(group) < self._most and not self._working:
            waiting = self._waiting.popleft()
            if not waiting[1].done():  # its caller was cancelled
                group.append(waiting)
        if not group:
            return
        ones, futures = [one for one, _ in group], [future for _, future in group]
        try:
            job = asyncio.get_running_loop().run_in_executor(self._threads, self._work, ones)
        except RuntimeError as closed:  # there are no threads any more
            _tell(futures, closed)
            return
        self._working = True
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        job.add_done_callback(lambda done: self._done(futures, done))

    def _done(self, futures: Sequence[asyncio.Future[None]], job: asyncio.Future[None]) -> None:
        self._working = False
        if self._pause_s and len(self._waiting) < self._most:
            self._pause = asyncio.get_running_loop().call_later(self._pause_s, self._rested)
        else:
            self._go_on()  # first of all: the thread is idle
        if job.cancelled():
            for future in futures:
                future.cancel()
        else:
            _tell(futures, job.exception())

    def _rested(self) -> None:
        self._pause = None
        self._go_on()


def _tell(futures: Sequence[asyncio.Future[None]], error: BaseException | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
