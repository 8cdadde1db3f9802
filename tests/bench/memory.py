"""Memory: the resident size of a relay without an engine, over many messages."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":  # brought by the tools of the tests; a relay's own environment has none
    for name in ("rich", "greenlet"):
        sys.modules[name] = None  # type: ignore[assignment]  # as Python marks what is not there

from relay.app.interpreter import tune
from tests.bench.into_amocrm import Counter, push
from tests.bench.report import Figure
from tests.bench.rig import rig

STEPS, STEP = 10, 10_000
WANTED_MB = 60.0


def memory(amocrm: str) -> Iterator[Figure]:
    """Measured in a process of its own, every ten thousand messages."""
    command = [sys.executable, "-m", "tests.bench.memory", amocrm]
    told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    sizes = [float(size) for size in told.stdout.split()]
    yield Figure(
        f"resident MB after {STEPS * STEP:,} messages".replace(",", " "),
        f"{sizes[0]:.1f} (at start)",
        f"{sizes[-1]:.1f}",
        f"{sizes[-1] - sizes[1]:+.1f} since the first {STEP:,}".replace(",", " "),
        f"≤ {WANTED_MB:.0f}, flat",
        met=sizes[-1] <= WANTED_MB,
    )


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _main(amocrm: str) -> None:
    counter = Counter()
    async with rig(amocrm, counter) as rigged:
        print(_resident_mb(), flush=True)
        for step in range(STEPS):
            await push(rigged, counter, step * STEP, STEP)
            print(_resident_mb(), flush=True)


if __name__ == "__main__":
    tune()
    asyncio.run(_main(sys.argv[1]))
