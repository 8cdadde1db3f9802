"""Python itself, as the daemon has it."""

from __future__ import annotations

import sys

from relay.app.interpreter import switch_soon


def test_an_event_of_the_library_waits_for_less_than_a_millisecond() -> None:
    """While it waits, the library takes others, which it cannot tell again after a kill."""
    before = sys.getswitchinterval()
    try:
        switch_soon()
        assert sys.getswitchinterval() < 0.001
    finally:
        sys.setswitchinterval(before)
