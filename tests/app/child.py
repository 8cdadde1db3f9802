"""``relay run`` with another engine: everything else is the command line's own doing.

Run as ``python -m tests.app.child -c FILE`` (a cold start) or called by the nursery (a warm one).
"""

from __future__ import annotations

import os
import sys
from unittest import mock

from relay.app import cli, daemon, relay
from tests.app.wire_engine import CLOCK_VARIABLE, MovableClock, wire_engine


def run(arguments: list[str]) -> None:
    """``relay ARGUMENTS``; the process usually ends in here."""
    MovableClock.offset_ms = int(os.environ.get(CLOCK_VARIABLE, "0"))
    with (
        mock.patch.object(daemon, "real_engine", wire_engine),
        mock.patch.object(relay, "SystemClock", MovableClock),
    ):
        cli.main(arguments, prog_name="relay")


if __name__ == "__main__":
    run(["run", *sys.argv[1:]])
