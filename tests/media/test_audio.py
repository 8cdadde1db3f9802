"""How ffmpeg is started."""

from __future__ import annotations

import os

from relay.media import audio


async def test_what_is_started_goes_behind_messages() -> None:
    """It would have the niceness of the thread that starts it, which goes before others."""
    told = [piece async for piece in audio._output("nice")]
    assert int(b"".join(told)) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
