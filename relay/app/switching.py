"""How soon a thread has its turn."""

from __future__ import annotations

import sys

_SWITCH_S = 0.0002


def switch_soon() -> None:
    """Let a thread that waits for Python's lock have it after a fifth of a millisecond.

    Python's default is 5 ms. That long the library's thread would wait with an event, while it
    goes on confirming others to WhatsApp: what waits there is what a kill loses. And so would the
    thread that commits, for its turn between the loop's. A switch itself costs a few microseconds.
    """
    sys.setswitchinterval(_SWITCH_S)
