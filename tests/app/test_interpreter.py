"""Python itself, as the daemon has it."""

from __future__ import annotations

import gc
import sys

from relay.app.interpreter import switch_soon, without_collector


def test_an_event_of_the_library_waits_for_less_than_a_millisecond() -> None:
    """While it waits, the library takes others, which it cannot tell again after a kill."""
    before = sys.getswitchinterval()
    try:
        switch_soon()
        assert sys.getswitchinterval() < 0.001
    finally:
        sys.setswitchinterval(before)


def test_the_collector_rests_until_the_last_who_wants_it_to_is_done() -> None:
    """Two pieces of work may overlap, such as a change of the file and the reload after it."""
    assert gc.isenabled()
    first, second = without_collector(), without_collector()
    with first:
        assert not gc.isenabled()
        second.__enter__()
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_what_was_made_at_rest_is_never_looked_at() -> None:
    """A look at new settings would hold the loop; without circles they go by themselves."""
    with without_collector():
        made = [[number] for number in range(1000)]
    assert not any(each is made for each in gc.get_objects())
    gc.unfreeze()  # of this process, whose other tests make circles


def test_where_the_collector_was_off_it_stays_off() -> None:
    """Whoever has turned it off knows why."""
    gc.disable()
    try:
        with without_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
