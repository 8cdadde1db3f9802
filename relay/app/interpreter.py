"""Python itself, tuned to a process that lives long, allocates much and has threads that wait."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Iterator

_YOUNG = 10_000  # new objects between two looks at the young ones; Python's default is 700
_SWITCH_S = 0.0002


def tune() -> None:
    """Collect less, switch sooner; what is there by now is never looked through again."""
    calm_collector()
    switch_soon()


def calm_collector() -> None:
    """Look less often, and never again at what is there already: modules, classes, settings.

    Nearly everything a message makes dies without the collector; by default it is run several
    times a message, an eighth of all processor time. It costs a few hundred kilobytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)


def switch_soon() -> None:
    """Let a thread that waits for Python's lock have it after a fifth of a millisecond.

    Python's default is 5 ms. That long the library's thread would wait with an event, while it
    goes on taking others, which it cannot tell again after a kill. And so would the thread that
    commits, for its turn between the loop's. A switch itself costs a few microseconds.
    """
    sys.setswitchinterval(_SWITCH_S)


class _Collector:
    """Python's collector, at rest as long as anybody wants it to be. Threads come and go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unwanted = 0
        self._was_on = False

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """No look while inside, and none at what was made meanwhile."""
        with self._lock:
            if not self._unwanted:
                self._was_on = gc.isenabled()
                gc.disable()
            self._unwanted += 1
        try:
            yield
        finally:
            with self._lock:
                self._unwanted -= 1
                gc.freeze()
                if not self._unwanted and self._was_on:
                    gc.enable()


_collector = _Collector()


def without_collector() -> contextlib.AbstractContextManager[None]:
    """For a piece of work that makes much which dies at its end without the collector.

    In the midst of reading a large file one look at all that is young would hold the loop for as
    long as the looking takes: no other thread runs meanwhile. Nor is it looked at later, when it
    would be two or three times before it counts as old: what is left of the work, such as new
    settings, goes when nobody holds it any more. Neither it nor messages leave circles behind.
    """
    return _collector.at_rest()
