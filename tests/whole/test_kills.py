"""What a ``kill -9`` in the middle of a burst loses: measured, and bounded."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

from tests.whole.killing import row

KILLS = 3
FEW = 25  # of 500
LIBRARY = 110  # what the library has in hand, a hundred of it in its buffer


async def test_nothing_is_lost_in_a_kill_without_a_trace(tmp_path: Path) -> None:
    """500 messages, ``kill -9`` in the middle, a new start: all are in amoCRM, or a word of them.

    A word stands for the few that the library had read and not told of yet. Only where the system
    gave a thread no processor for longer than confirmations are held back, some may be missing.
    """
    async with row(tmp_path) as unlucky:
        kills = [kill async for kill in unlucky.kills(KILLS, random.Random(20261122))]
    assert len(kills) == KILLS
    assert statistics.median(kill.lost for kill in kills) == 0, kills
    assert max(kill.lost for kill in kills) <= LIBRARY, kills
    assert statistics.median(kill.told for kill in kills) <= FEW, kills
    assert max(kill.told for kill in kills) <= LIBRARY, kills
    assert all(kill.doubled == 0 for kill in kills), kills
