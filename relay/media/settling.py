"""Sees to it that bundles go, a while after they were begun.

By then the system has mostly written their files by itself, and to wait for them costs little; in
the midst of a burst it would cost as much as bundles save.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections import deque
from pathlib import Path
from typing import Final

import structlog

from relay.media.shelf import Shelf

_log = structlog.stdlib.get_logger("relay.media")

_MOST_FULL: Final = 4  # that wait
_MOST_AT_ONCE: Final = 2  # that others settle: who fills one more does it himself


class Settling:
    """Settles the bundles of a shelf."""

    def __init__(self, shelf: Shelf, threads: concurrent.futures.Executor) -> None:
        self._shelf = shelf
        self._threads = threads
        self._full: deque[Path] = deque()
        self._at_work: set[Path] = set()
        self._moved = threading.Condition()  # guards the two above
        self._may_begin = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def see(self) -> None:
        """Something was bundled: there may be too many full ones. On the thread that bundles."""
        bundle = self._shelf.ended_bundle()
        self._add(bundle)
        if len(self._full) <= _MOST_FULL:
            return
        if not self._may_begin.acquire(blocking=False):
            self._settle_one()  # so nothing more is bundled meanwhile
            return
        try:
            self._threads.submit(self._settle_oldest).add_done_callback(_tell)
        except RuntimeError:  # closing: all are settled then
            self._may_begin.release()

    def settle(self) -> None:
        """Whatever is bundled is on the disk in files of its own, too. On any thread."""
        self._add(self._shelf.ended_bundle(at_once=True))
        while self._settle_one():
            pass
        with self._moved:
            others = set(self._at_work)  # and not those that they begin meanwhile
            self._moved.wait_for(lambda: others.isdisjoint(self._at_work))

    def _add(self, bundle: Path | None) -> None:
        if bundle is not None:
            with self._moved:
                self._full.append(bundle)

    def _settle_oldest(self) -> None:
        try:
            self._settle_one()
        finally:
            self._may_begin.release()

    def _settle_one(self) -> bool:
        """Whether there was one."""
        with self._moved:
            if not self._full:
                return False
            bundle = self._full.popleft()
            self._at_work.add(bundle)
        try:
            self._shelf.settle(bundle)
        except OSError as error:
            what_to_do = "look at the disk, then restart: it makes the files again"
            _log.error("media_not_settled", error=str(error), what_to_do=what_to_do)
        finally:
            with self._moved:
                self._at_work.discard(bundle)
                self._moved.notify_all()
        return True


def _tell(work: concurrent.futures.Future[None]) -> None:
    """Nobody waits for it, and a fault of ours must not vanish."""
    if not work.cancelled() and (fault := work.exception()) is not None:
        what_to_do = "restart: it makes the files again; and tell the developers"
        _log.error("media_not_settled", error=repr(fault), what_to_do=what_to_do, exc_info=fault)
