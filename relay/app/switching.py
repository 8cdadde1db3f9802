"""Which thread has its turn, and how soon: ours before the library's, and each before long."""

from __future__ import annotations

import contextlib
import os
import sys

_SWITCH_S = 0.0002
_NICE = -10


def switch_soon() -> None:
    """Let a thread that waits for Python's lock have it after a fifth of a millisecond.

    Python's default is 5 ms. That long the library's thread would wait with an event, while it
    goes on confirming others to WhatsApp: what waits there is what a kill loses. And so would the
    thread that commits, for its turn between the loop's. A switch itself costs a few microseconds.
    """
    sys.setswitchinterval(_SWITCH_S)


def go_first() -> None:
    """Let this thread, and those that it starts from now on, have a processor before others.

    The library's own threads leave it at that (``neonize_binding``): where processors are scarce,
    it then takes no more from WhatsApp than we can keep. Where the system does not allow it (the
    units do, by ``LimitNICE``), all go on alike.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)  # of this thread: Linux counts them one by one
