"""States of letters, and the ladder of retries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.outbox import TRANSITIONS, UNFINISHED, EntryState
from relay.domain.retry import MINUTE, SECOND, RetryPolicy


def test_every_state_has_its_row_in_the_table() -> None:
    """What may follow a state is always said, if only that nothing may."""
    assert set(TRANSITIONS) == set(EntryState)


def test_what_is_delivered_stays_delivered() -> None:
    """No transition leads out of DELIVERED: nothing is sent twice."""
    assert TRANSITIONS[EntryState.DELIVERED] == frozenset()


def test_a_dead_letter_can_be_replayed_or_prove_delivered() -> None:
    """What counted as failed may have arrived after all; nothing else becomes of it by itself."""
    assert TRANSITIONS[EntryState.DEAD] == {EntryState.PENDING, EntryState.DELIVERED}


def test_an_unfinished_letter_can_always_end() -> None:
    """From every unfinished state a letter can be delivered and can die."""
    for state in UNFINISHED:
        assert {EntryState.DELIVERED, EntryState.DEAD} <= TRANSITIONS[state]


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_longer_than_the_longest(attempts: int, chance: float) -> None:
    """A due time beyond the horizon can only come from a clock that jumped."""
    policy = RetryPolicy()
    assert 0 < policy.delay_ms(attempts, chance) <= policy.longest_ms


@pytest.mark.parametrize(
    ("attempts", "about"), [(1, SECOND), (6, MINUTE), (8, 5 * MINUTE), (99, 5 * MINUTE)]
)
def test_the_ladder_begins_with_seconds_and_ends_with_minutes(attempts: int, about: int) -> None:
    """Without jitter the delays are the ladder's."""
    assert RetryPolicy().delay_ms(attempts, 0.5) == about


def test_jitter_spreads_lanes() -> None:
    """Two lanes that failed together come back apart."""
    policy = RetryPolicy()
    assert policy.delay_ms(3, 0.0) < policy.delay_ms(3, 0.999)
