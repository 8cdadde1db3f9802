"""What a relay loads at its start: what it needs, for every library stays in memory for good."""

from __future__ import annotations

import subprocess
import sys

NEEDED_LATER = {
    "aiohttp_socks": "a channel's proxy",
    "cryptography": "media of a linked device, tokens of the widget",
    "jwt": "tokens of the widget",
    "magic": "the first file",
    "neonize": "a linked device",
    "PIL": "the library of a linked device",
    "segno": "the linking of a number",
}


def test_a_relay_that_serves_nobody_yet_holds_no_library_of_engines_and_desks() -> None:
    """Loading the daemon loads none of what only an engine, a file or a widget's user needs."""
    loaded = told("import sys, relay.app.daemon; print(*sys.modules)")
    assert "relay.app.daemon" in loaded
    assert loaded & NEEDED_LATER.keys() == set()


def test_a_start_reads_no_source() -> None:
    """The meanings of the file's keys are read from the source only when somebody asks."""
    read = told("import linecache, relay.app.daemon; print(*linecache.cache)")
    assert {name for name in read if "/relay/" in name} == set()


def told(code: str) -> set[str]:
    """The words that a Python of its own prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return set(done.stdout.split())
