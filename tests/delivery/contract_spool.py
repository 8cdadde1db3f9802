"""The contract of every spool, in one class; whoever keeps it inherits it.

A heir gives two fixtures: ``spool``, an empty one of some ten thousand bytes, and ``reopen``, which
gives what the next process finds of it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.delivery.store import Spool, Spooled

Reopen = Callable[[], Spool]

LARGE = bytes(1000)


def fill(spool: Spool) -> int:
    """Put until there is no room; how many went in."""
    count = 0
    while spool.put("whatsapp/sales", LARGE):
        count += 1
    return count


class SpoolContract:
    """Everything a spool promises."""

    def test_it_gives_the_oldest_first_and_only_so_many(self, spool: Spool) -> None:
        """What waits is given in the order of putting, each with its source, up to the limit."""
        said = [Spooled("whatsapp/sales", b"1"), Spooled("whatsapp/опт", b""), Spooled("x", b"3")]
        for spooled in said:
            assert spool.put(spooled.source, spooled.payload)
        assert list(spool.waiting(2)) == said[:2]
        assert list(spool.waiting(9)) == said

    def test_what_was_taken_away_is_gone_the_rest_stays(self, spool: Spool) -> None:
        """Taking away frees the oldest only, and more can be put behind the others."""
        for payload in (b"1", b"2", b"3"):
            spool.put("a", payload)
        spool.take_away(2)
        spool.put("a", b"4")
        assert [s.payload for s in spool.waiting(9)] == [b"3", b"4"]

    def test_the_next_process_finds_what_was_not_taken_away(
        self, spool: Spool, reopen: Reopen
    ) -> None:
        """Everything put and not taken away waits again, in order, and nothing else does."""
        for number in range(5):
            spool.put("a", b"%d" % number)
        spool.take_away(3)
        again = reopen()
        assert [s.payload for s in again.waiting(9)] == [b"3", b"4"]
        again.put("a", b"5")
        again.take_away(3)
        assert list(reopen().waiting(9)) == []

    def test_an_emptied_spool_has_room_again(self, spool: Spool, reopen: Reopen) -> None:
        """Filled, emptied, filled again: as much goes in, and nothing of before comes back."""
        count = fill(spool)
        spool.take_away(count)
        assert list(reopen().waiting(99)) == []
        assert fill(spool) == count

    def test_a_full_spool_refuses_and_keeps_what_it_has(self, spool: Spool) -> None:
        """No room is said, not hidden; what is in is not touched."""
        count = fill(spool)
        assert 5 < count < 11
        assert not spool.put("a", LARGE)
        assert len(spool.waiting(99)) == count

    @pytest.mark.parametrize("size", [0, 9_000, 10_000, 20_000])
    def test_what_fits_can_be_put_into_an_empty_one(self, spool: Spool, size: int) -> None:
        """``fits`` says just what ``put`` does when nothing is in the way."""
        payload = bytes(size)
        assert spool.fits("whatsapp/sales", payload) == spool.put("whatsapp/sales", payload)
