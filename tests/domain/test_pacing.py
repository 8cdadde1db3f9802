"""When a message may go to somebody who has never written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.pacing import (
    Book,
    Cold,
    Go,
    Obstacle,
    Pace,
    TooLate,
    Verdict,
    Wait,
    ask,
    close,
    give_back,
    taken,
)
from relay.domain.retry import DAY, HOUR, MINUTE, SECOND

NOW = 1_770_000_000_000
PACE = Pace(per_minute=2, per_hour=4, per_day=6)

paces = st.builds(
    Pace,
    per_minute=st.integers(1, 60),
    per_hour=st.integers(1, 30),
    per_day=st.integers(1, 60),
)


def asked(book: Book, key: str, at_ms: int = NOW, *, within: int = HOUR) -> tuple[Book, Verdict]:
    """One question, with half a chance."""
    return ask(book, Cold(key, at_ms + within), at_ms, PACE, 0.5)


def line(book: Book, *keys: str, within: int = HOUR) -> tuple[Book, list[Verdict]]:
    """Several ask at once."""
    verdicts = []
    for key in keys:
        book, verdict = asked(book, key, within=within)
        verdicts.append(verdict)
    return book, verdicts


def test_the_first_goes_at_once_and_the_next_wait_their_turn() -> None:
    """Turns are promised in the order of asking, a gap apart, each told once."""
    book, verdicts = line(Book(), "a", "b", "c", "b")
    assert verdicts == [
        Go(NOW),
        Wait(NOW + 39 * SECOND, news=True),
        Wait(NOW + 78 * SECOND, news=True),
        Wait(NOW + 39 * SECOND, news=False),
    ]
    _, verdict = asked(book, "b", NOW + 39 * SECOND)
    assert verdict == Go(NOW + 39 * SECOND)


def test_what_cannot_go_in_time_is_told_at_once() -> None:
    """The fifth within an hour would come too late; nobody else's turn is spent on it."""
    book, verdicts = line(Book(), "a", "b", "c", "d", "e")
    assert verdicts[-1] == TooLate(NOW + HOUR, Obstacle.PACE)
    assert book.turn_of("e") is None
    _, verdict = asked(book, "e", within=2 * HOUR)
    assert verdict == Wait(NOW + HOUR, news=True)


def test_what_was_not_sent_is_not_counted() -> None:
    """A send that WhatsApp never saw leaves its place to another."""
    book, _ = asked(Book(), "a")
    book, verdict = asked(give_back(book, NOW), "b")
    assert verdict == Go(NOW)
    assert give_back(book, NOW - 1) == book


def test_a_closed_book_holds_everybody_until_it_opens() -> None:
    """For as long as WhatsApp tells; promised turns before that are promised anew."""
    book, _ = line(Book(), "a", "b")
    book = close(book, NOW, 30 * MINUTE)
    book, verdict = asked(book, "b")
    assert verdict == Wait(NOW + 30 * MINUTE, news=True)
    _, verdict = asked(book, "c", within=20 * MINUTE)
    assert isinstance(verdict, TooLate)
    assert verdict.obstacle is Obstacle.CLOSED


def test_closures_grow_until_a_message_is_taken() -> None:
    """Untold: an hour, two, four, at most a day. A message taken afterwards forgets them."""
    book, waits, now = Book(), [], NOW
    for _ in range(7):
        book = close(book, now, None)
        waits.append((book.closed_until_ms - now) // HOUR)
        now = book.closed_until_ms
    assert waits == [1, 2, 4, 8, 16, 24, 24]
    assert taken(book, now - 1) == book, "sent before it closed, told after"
    assert taken(book, now).closures == 0


def test_a_missed_turn_is_promised_anew() -> None:
    """After a long absence those who waited line up again; they do not go all at once."""
    book, _ = line(Book(), "a", "b", "c")
    later = NOW + 10 * MINUTE
    book, first = asked(book, "b", later)
    book, second = asked(book, "c", later)
    assert first == Go(later)
    assert second == Wait(later + 39 * SECOND, news=True)


def test_the_line_moves_up() -> None:
    """A pace that was loosened, or a place that became free, is used."""
    book, _ = line(Book(), "a", "b", "c", "d", "e", within=2 * HOUR)
    faster = replace(PACE, per_hour=30)
    _, verdict = ask(book, Cold("e", NOW + 2 * HOUR), NOW, faster, 0.5)
    assert verdict == Wait(NOW + 4 * 39 * SECOND, news=True)


@pytest.mark.parametrize("jump", [-DAY, -2 * HOUR, 2 * HOUR, 40 * DAY])
def test_a_clock_that_was_set_blocks_nobody_for_longer_than_a_window(jump: int) -> None:
    """What the book says of the future is not believed."""
    book, _ = line(Book(), "a", "b")
    now = NOW + jump
    book, verdict = asked(book, "b", now)
    at = verdict.at_ms
    assert now <= at <= now + HOUR


# --- Laws -----------------------------------------------------------------------------------------


@given(
    pace=paces,
    arrivals=st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=60),
    chance=st.floats(0, 0.999),
    late=st.lists(st.integers(0, 90 * SECOND), min_size=1, max_size=10),
)
def test_no_window_ever_holds_more_than_its_limit(
    pace: Pace, arrivals: list[int], chance: float, late: list[int]
) -> None:
    """However they come, and however late each is at its turn, no limit is ever broken.

    Everybody either goes within his time or is told at once that he will not.
    """
    book, now, sent = Book(), NOW, []
    queue: list[tuple[int, str, int]] = []
    for number, pause in enumerate(arrivals):
        now += pause
        queue.append((now, f"m{number}", now + HOUR))
    steps = 0
    while queue:
        queue.sort()
        at, key, expires = queue.pop(0)
        if at >= expires:
            continue
        before = book
        book, verdict = ask(book, Cold(key, expires), at, pace, chance)
        steps += 1
        match verdict:
            case Go(at_ms):
                sent.append(at_ms)
            case Wait(turn):
                assert at < turn < expires
                queue.append((turn + late[steps % len(late)], key, expires))
            case TooLate(turn):
                assert turn >= expires
                assert before.turn_of(key) is None or steps > 1
    assert steps < 100 * len(arrivals)
    for limit, window in ((1, pace.gap_ms), *pace.windows):
        for first, last in zip(sent, sent[limit:], strict=False):
            assert last - first >= window


@given(pace=paces, chance=st.floats(0, 0.999), count=st.integers(2, 30))
def test_turns_keep_the_order_of_asking(pace: Pace, chance: float, count: int) -> None:
    """Who came first goes first."""
    book, turns = Book(), []
    for number in range(count):
        book, verdict = ask(book, Cold(f"m{number}", NOW + DAY), NOW, pace, chance)
        turns.append(verdict.at_ms)
    assert turns == sorted(turns)
