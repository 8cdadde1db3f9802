"""One thread that serves works in batches, in the order in which they came."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from relay.delivery.ports import StoreRefusedError
from relay.sqlite.errors import StoreClosedError
from relay.sqlite.group_commit import Work


@dataclass(slots=True, eq=False)
class LoopWork(Work):
    """A work awaited on an event loop."""

    future: asyncio.Future[Any] | None = None


@dataclass(slots=True, eq=False)
class ThreadWork(Work):
    """A work a foreign thread waits for."""

    future: concurrent.futures.Future[Any] | None = None


class Worker:
    """Takes works from anywhere, hands them to ``serve`` by the batch, tells the results.

    A work that was taken is run, even if nobody waits for it any more. ``bound`` is how many may
    wait, ``batch`` how many are served at once.
    """

    def __init__(
        self, name: str, serve: Callable[[Sequence[Work]], None], *, bound: int, batch: int
    ) -> None:
        self._serve = serve
        self._bound = bound
        self._batch = batch
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._door = threading.Lock()  # nothing enters behind the end of the queue
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, run: Callable[[Any], Any]) -> Any:
        """The result of a work, awaited on the running loop."""
        future = asyncio.get_running_loop().create_future()
        self._submit(LoopWork(run, future=future))
        return await future

    def run_from_thread(self, run: Callable[[Any], Any]) -> Any:
        """The result of a work, waited for by a foreign thread."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._submit(ThreadWork(run, future=future))
        return future.result()

    def close(self) -> None:
        """Serve what was taken, then end the thread. May be called again."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _submit(self, work: Work) -> None:
        with self._door:
            if self._closed:
                raise StoreClosedError("the store is closed")
            if self._queue.qsize() >= self._bound:
                raise StoreRefusedError(f"{self._bound} works are waiting for the disk already")
            self._queue.put(work)

    def _run(self) -> None:
        while batch := self._take():
            self._serve(batch)
            _tell(batch)

    def _take(self) -> list[Work]:
        """What is waiting, at most a batch; waits for the first; nothing at the end."""
        batch: list[Work] = []
        work = self._queue.get()
        while work is not None:
            batch.append(work)
            if len(batch) == self._batch or self._queue.empty():
                return batch
            work = self._queue.get()
        if batch:
            self._queue.put(None)  # the end comes up again, alone
        return batch


def _tell(batch: Sequence[Work]) -> None:
    """Tell threads at once and every loop by a single call."""
    loops: defaultdict[asyncio.AbstractEventLoop, list[LoopWork]] = defaultdict(list)
    for work in batch:
        if isinstance(work, ThreadWork) and work.future is not None:
            _settle(work.future, work)
        elif isinstance(work, LoopWork) and work.future is not None:
            loops[work.future.get_loop()].append(work)
    for loop, works in loops.items():
        try:
            loop.call_soon_threadsafe(_tell_loop, works)
        except RuntimeError:  # the loop is closed: nobody waits there any more
            continue


def _tell_loop(works: Sequence[LoopWork]) -> None:
    for work in works:
        if work.future is not None and not work.future.done():  # else: its caller was cancelled
            _settle(work.future, work)


def _settle(
    future: asyncio.Future[Any] | concurrent.futures.Future[Any],
    work: Work,
) -> None:
    if work.error is None:
        future.set_result(work.value)
    else:
        future.set_exception(work.error)
