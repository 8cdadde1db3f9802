"""How ffmpeg is started."""

from __future__ import annotations

import os

from relay.media import audio


async def test_what_is_started_goes_behind_messages() -> None:
    """A conversion takes a processor for seconds; a message can wait less than it."""
    told = [piece async for piece in audio._output("nice")]
    assert int(b"".join(told)) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
