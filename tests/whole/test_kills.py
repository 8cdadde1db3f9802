"""What a ``kill -9`` in the middle of a burst loses: measured, and bounded."""

from __future__ import annotations

import random
from pathlib import Path

from tests.whole.killing import row

KILLS = 3
FEW = 25  # of 500, on a busy machine; the library's own buffer, if we let it fill, holds 100


async def test_a_kill_in_a_burst_loses_a_few_messages_at_most(tmp_path: Path) -> None:
    """500 messages, ``kill -9`` in the middle, a new start: all but a few are in amoCRM."""
    async with row(tmp_path) as unlucky:
        kills = [kill async for kill in unlucky.kills(KILLS, random.Random(20261122))]
    assert len(kills) == KILLS
    assert all(len(kill.lost) <= FEW for kill in kills), kills
    assert all(kill.doubled == 0 for kill in kills), kills
