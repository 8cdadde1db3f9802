"""A thread that waits for the disk, so that the loop need not."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable


class Committer:
    """Runs ``commit`` on a thread of its own, whenever it is asked to.

    ``error`` is that of the last commit, None if it went well.
    """

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit
        self.error: sqlite3.Error | None = None
        self._asked: queue.SimpleQueue[tuple[AbstractEventLoop, Callable[[], None]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, name="store-commit", daemon=True)
        self._thread.start()

    def ask(self, loop: AbstractEventLoop, done: Callable[[], None]) -> None:
        """Commit; then ``done`` is called on the loop."""
        self._asked.put((loop, done))

    def close(self) -> None:
        """End the thread after what it was asked for. May be called again."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            loop, done = asked
            try:
                self._commit()
                self.error = None
            except sqlite3.Error as refused:
                self.error = refused
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens there
                loop.call_soon_threadsafe(done)
