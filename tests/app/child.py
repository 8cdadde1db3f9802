"""``relay run`` with another engine: everything else is the command line's own doing.

Run as ``python -m tests.app.child -c FILE`` (a cold start) or called by the nursery (a warm one).
"""

from __future__ import annotations

import os
import sys
from unittest import mock

from relay.app import daemon, relay
from relay.cli import main as cli
from relay.delivery.housekeeping import Heartbeat
from tests.app.wire_engine import CLOCK_VARIABLE, MovableClock, wire_engine

HEART_VARIABLE = "WIRE_HEART"
"""``beats`` (as ever), ``breaks`` (raises) or ``stops`` (returns): a core task that fails."""


def run(arguments: list[str]) -> None:
    """``relay ARGUMENTS``; the process usually ends in here."""
    MovableClock.offset_ms = int(os.environ.get(CLOCK_VARIABLE, "0"))
    with (
        mock.patch.object(daemon, "real_engine", wire_engine),
        mock.patch.object(relay, "SystemClock", MovableClock),
        mock.patch.object(Heartbeat, "run", _HEARTS[os.environ.get(HEART_VARIABLE, "beats")]),
    ):
        cli.main(arguments, prog_name="relay")


async def _breaks(heart: Heartbeat) -> None:
    await heart.beat()
    raise RuntimeError("the heart broke")


async def _stops(heart: Heartbeat) -> None:
    await heart.beat()


_HEARTS = {"beats": Heartbeat.run, "breaks": _breaks, "stops": _stops}


if __name__ == "__main__":
    run(["run", *sys.argv[1:]])
