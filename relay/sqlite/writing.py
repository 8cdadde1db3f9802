"""The writing side of the store: statements on the loop, the fsync on a thread.

Works wait in one queue. A *turn* takes some of them, runs their statements on the loop, one after
the other (each takes microseconds), and leaves the COMMIT, the only step that waits for the disk,
to a thread. Works that come meanwhile make the next turn, so the slower the disk, the more works
share one fsync. Everything here but :meth:`Writing.run_from_thread` belongs to the loop.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from relay.delivery.ledger import Ledger
from relay.delivery.store import StoreRefusedError
from relay.sqlite.committer import Committer
from relay.sqlite.errors import StoreClosedError
from relay.sqlite.group_commit import GroupCommit, Work, is_busy, refuse
from relay.sqlite.remembered import Memory

LONGEST_QUEUE = 20_000
LARGEST_GROUP = 64
BUSY_S = 2.0  # an administrator's shell may hold the database for a moment
_BUSY_STEP_S = 0.02
_LOOK_AT_LOOP_S = 1.0

_Run = Callable[[Ledger], Any]


class Awaited(Work):
    """A work, and the future that its caller waits for."""

    __slots__ = ("future",)

    def __init__(
        self, run: _Run, future: asyncio.Future[Any] | concurrent.futures.Future[Any]
    ) -> None:
        super().__init__(run)
        self.future = future

    def tell(self) -> None:
        """Tell the caller; one who was cancelled hears nothing."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class Writing:
    """Takes works from the loop and from threads, commits them by the group, tells the results.

    A work once taken is run, even if nobody waits for it any more.
    """

    def __init__(self, connection: sqlite3.Connection, memory: Memory) -> None:
        self._group = GroupCommit(connection, memory)
        self._committer = Committer(self._group.commit)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[Awaited] = deque()
        self._committing: Sequence[Awaited] = ()
        self._scheduled = False
        self._busy_until: float | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._inbox: deque[Awaited] = deque()  # from threads
        self._door = threading.Lock()  # nothing enters the inbox behind the end
        self._closed = False

    def belong(self) -> asyncio.AbstractEventLoop:
        """Belong to the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        return self._loop

    def enter(self, run: _Run) -> asyncio.Future[Any]:
        """Take a work; the future of its result.

        Raises:
            StoreRefusedError: too many works are waiting already.
            StoreClosedError: nothing is taken any more.
        """
        if self._closed:
            raise StoreClosedError("the store is closed")
        loop = self._loop or self.belong()
        if self._inbox:
            self._empty_inbox()
        if len(self._waiting) >= LONGEST_QUEUE:
            raise _too_many()
        future = loop.create_future()
        self._waiting.append(Awaited(run, future))
        self._go_on()
        return future

    def run_from_thread(self, run: _Run) -> Any:
        """The result of a work, waited for by a foreign thread.

        Raises:
            StoreRefusedError: the disk refused, or too many works are waiting already.
            StoreClosedError: nothing is taken any more, or the loop is gone.
        """
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        work, loop = Awaited(run, future), self._loop
        with self._door:
            if self._closed or loop is None:
                raise StoreClosedError("the store is closed, or no loop serves it yet")
            self._inbox.append(work)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._empty_inbox)
        while not future.done() and not loop.is_closed():
            concurrent.futures.wait([future], _LOOK_AT_LOOP_S)
        if not future.done():
            with self._door, contextlib.suppress(ValueError):
                self._inbox.remove(work)
            raise StoreClosedError("the loop that served the store is closed")
        return future.result()

    async def drain(self) -> None:
        """Take nothing more; back when everything that was taken is finished."""
        self._shut()
        await self._idle.wait()

    def close(self) -> None:
        """The same, waiting for the disk here and now; ends the thread. May be called again."""
        self._shut()
        self._committer.close()
        self._committed()
        while self._waiting:
            if group := self._run_some(patient=False):
                try:
                    self._group.commit()
                except sqlite3.Error as error:
                    self._undo(group, error)
                self._tell(group)

    def _shut(self) -> None:
        with self._door:
            self._closed = True
        self._empty_inbox()

    def _empty_inbox(self) -> None:
        """Let in what threads have brought."""
        while self._inbox:
            work = self._inbox.popleft()
            if len(self._waiting) >= LONGEST_QUEUE:
                work.error = _too_many()
                work.tell()
            else:
                self._waiting.append(work)
        self._go_on()

    def _go_on(self) -> None:
        """See to it that there is a turn if there is work, and that idleness is known."""
        if not self._waiting and not self._committing:
            self._idle.set()
        elif (
            not self._scheduled
            and not self._committing
            and self._loop
            and not self._loop.is_closed()
        ):
            self._idle.clear()
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self._committing or not self._waiting or self._loop is None:
            return
        if group := self._run_some(patient=True):
            self._committing = group
            self._committer.ask(self._loop, self._committed)
        elif not self._scheduled:
            self._go_on()

    def _committed(self) -> None:
        """The thread has done what it was asked for."""
        group, self._committing = self._committing, ()
        if group and self._committer.error is not None:
            self._undo(group, self._committer.error)
        self._tell(group)
        self._go_on()

    def _run_some(self, *, patient: bool) -> Sequence[Awaited]:
        """Run works that wait; those to be committed now. What was refused has been told so."""
        works = list(itertools.islice(self._waiting, LARGEST_GROUP))
        try:
            group = works[: self._group.run(works)]
        except sqlite3.Error as error:
            if not (patient and self._wait_for_shell(error)):
                self._refuse_all(error)
            return ()
        self._busy_until = None
        for _ in group:
            self._waiting.popleft()
        if self._group.open:
            return group
        self._tell(group)
        return ()

    def _wait_for_shell(self, error: sqlite3.Error) -> bool:
        """Whether somebody else writes, and there is patience left: then there is a turn soon."""
        now = time.monotonic()
        self._busy_until = self._busy_until or now + BUSY_S
        if not is_busy(error) or now >= self._busy_until or self._loop is None:
            return False
        self._scheduled = True
        self._loop.call_later(_BUSY_STEP_S, self._turn)
        return True

    def _refuse_all(self, error: sqlite3.Error) -> None:
        self._busy_until = None
        works = list(self._waiting)
        self._waiting.clear()
        refuse(works, error)
        self._tell(works)

    def _undo(self, group: Sequence[Awaited], error: sqlite3.Error) -> None:
        self._group.roll_back()
        refuse(group, error)

    def _tell(self, group: Sequence[Awaited]) -> None:
        gone = self._loop is None or self._loop.is_closed()
        for work in group:
            if not (gone and isinstance(work.future, asyncio.Future)):
                work.tell()


def _too_many() -> StoreRefusedError:
    return StoreRefusedError(f"{LONGEST_QUEUE} works are waiting for the disk already")
