"""What a ``kill -9`` in the middle of a burst loses: measured, and bounded."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

from tests.whole.killing import row

KILLS = 3
FEW = 25  # of 500
LIBRARY = 110  # what the library has in hand, a hundred of it in its buffer


async def test_a_kill_in_a_burst_loses_a_few_messages_at_most(tmp_path: Path) -> None:
    """500 messages, ``kill -9`` in the middle, a new start: all but a few are in amoCRM.

    If the system gave the relay no processor for a while just then, what the library has in hand.
    """
    async with row(tmp_path) as unlucky:
        kills = [kill async for kill in unlucky.kills(KILLS, random.Random(20261122))]
    assert len(kills) == KILLS
    lost = sorted(len(kill.lost) for kill in kills)
    assert statistics.median(lost) <= FEW, kills
    assert max(lost) <= LIBRARY, kills
    assert all(kill.doubled == 0 for kill in kills), kills
