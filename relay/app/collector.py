"""Python's collector of cyclic garbage, tuned to a process that lives long and allocates much."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_YOUNG = 10_000  # new objects between two looks at the young ones; Python's default is 700


def calm_collector() -> None:
    """Look less often, and never again at what is there already: modules, classes, settings.

    Nearly everything a message makes dies without the collector; by default it is run several
    times a message, an eighth of all processor time. It costs a few hundred kilobytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """For a piece of work that makes much which dies at its end without the collector.

    In the midst of reading a large file one look at all that is young would hold the loop for as
    long as the looking takes: no other thread runs meanwhile.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
