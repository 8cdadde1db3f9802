"""Python's collector of cyclic garbage, tuned to a process that lives long and allocates much."""

from __future__ import annotations

import gc

_YOUNG = 10_000  # new objects between two looks at the young ones; Python's default is 700


def calm_collector() -> None:
    """Look less often, and never again at what is there already: modules, classes, settings.

    Nearly everything a message makes dies without the collector; by default it is run several
    times a message, an eighth of all processor time. It costs a few hundred kilobytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
