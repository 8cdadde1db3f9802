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
        self._may_begin = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def see(self) -> None:
        """Something was bundled: there may be too many full ones. On the thread that bundles."""
        bundle = self._shelf.ended_bundle()
        if bundle is not None:
            self._full.append(bundle)
        if len(self._full) <= _MOST_FULL:
            return
        if not self._may_begin.acquire(blocking=False):
            self._settle_one()  # so nothing more is bundled meanwhile
            return
        try:
            self._threads.submit(self._settle_oldest)
        except RuntimeError:  # closing: all are settled then
            self._may_begin.release()

    def settle(self) -> None:
        """Whatever is bundled is on the disk in files of its own, too. On any thread."""
        bundle = self._shelf.ended_bundle(at_once=True)
        if bundle is not None:
            self._full.append(bundle)
        while self._settle_one():
            pass

    def _settle_oldest(self) -> None:
        try:
            self._settle_one()
        finally:
            self._may_begin.release()

    def _settle_one(self) -> bool:
        """Whether there was one."""
        try:
            bundle = self._full.popleft()
        except IndexError:
            return False
        try:
            self._shelf.settle(bundle)
        except OSError as error:
            what_to_do = "look at the disk, then restart: it makes the files again"
            _log.error("media_not_settled", error=str(error), what_to_do=what_to_do)
        return True
