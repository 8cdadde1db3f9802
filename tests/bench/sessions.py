"""``python -m tests.bench.sessions``: linked devices against our own WhatsApp server.

Prints its findings and keeps them in ``docs/benchmarks-sessions.md``. It takes about half an hour,
most of it for the kills; ``--kills N`` makes it shorter. No test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.burst import TakingIn, client_alone_s, relay_s, taking_in
from tests.bench.many_sessions import Figures, measure
from tests.bench.report import percentile
from tests.whole.killing import BURST, Kill, row

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks-sessions.md"
KILLS_IN_A_ROW = 10
SEED = 20261122
ROUNDS = 3
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured in one run."""

    sessions: Sequence[Figures]
    alone_s: Sequence[float]
    relay_s: Sequence[float]
    taking: TakingIn
    kills: Sequence[Kill]
    load: float


async def kill_many(count: int) -> list[Kill]:
    """So many kills, in rows of ten on one session each."""
    chance, kills = random.Random(SEED), list[Kill]()
    while len(kills) < count:
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            async with row(Path(home)) as unlucky:
                wanted = min(KILLS_IN_A_ROW, count - len(kills))
                kills += [kill async for kill in unlucky.kills(wanted, chance)]
        print(f"{len(kills)} kills: {sorted(len(kill.lost) for kill in kills)}", flush=True)
    return kills


async def find(kills: int) -> Findings:
    """Measure everything, one after the other."""
    load = os.getloadavg()[0]
    sessions = [await measure(number) for number in (1, 10, 50)]
    alone, relayed = list[float](), list[float]()
    for _ in range(ROUNDS):
        alone.append(await client_alone_s())
        relayed.append(await relay_s())
    taking = await taking_in(1_000, 100)
    return Findings(sessions, alone, relayed, taking, await kill_many(kills), load)


def page(found: Findings) -> str:
    """The findings as a page."""
    parts = (_HEAD.format(**_place(found)), _sessions(found), _speed(found), _kills(found.kills))
    return "\n".join(parts)


def _place(found: Findings) -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "load": found.load}


_HEAD = """# Benchmarks of sessions

Made by `python -m tests.bench.sessions`: the unmodified `relay run` with the unmodified library,
our own WhatsApp server and a pretended amoCRM, all on one machine ({cores} cores, Python {python},
load {load:.1f} at the start). Numbers of another machine differ; ratios less so. It shows what this
program does, not what WhatsApp accepts.
"""


def _sessions(found: Findings) -> str:
    first, last = found.sessions[0], found.sessions[-1]
    more = last.sessions - first.sessions
    memory = (last.memory - first.memory) / more / _MIB
    threads = (last.threads - first.threads) / more
    lines = [
        "## Sessions in one process\n",
        "| sessions | door open | all connected | memory | threads | descriptors | idle | stop |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {f.sessions} | {f.door_s:.1f} s | {f.connected_s:.1f} s | {f.memory / _MIB:.0f} MiB"
            f" | {f.threads} | {f.descriptors} | {f.idle:.1%} of a core | {f.stop_s:.1f} s |"
            for f in found.sessions
        ),
        f"\nEach session above the first: {memory:.2f} MiB and {threads:.2f} threads.\n",
    ]
    return "\n".join(lines)


def _speed(found: Findings) -> str:
    alone, relayed = statistics.median(found.alone_s), statistics.median(found.relay_s)
    return f"""## Speed

A burst of 1 000 texts of ten clients from WhatsApp's offline queue, median of {ROUNDS} rounds: the
client alone hears it in {alone:.2f} s, the relay has it in amoCRM in {relayed:.2f} s:
**{alone / relayed:.2f}** of the client alone.

| from the library's call, 100 a second | median | 99 % |
|---|---|---|
| its thread is free, a kill cannot lose the event | {_spread(found.taking.free)} |
| committed with fsync | {_spread(found.taking.committed)} |
"""


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ms | {percentile(values, 0.99):.2f} ms"


def _kills(kills: Sequence[Kill]) -> str:
    lost = [len(kill.lost) for kill in kills]
    counted = sorted(Counter(lost).items())
    table = "\n".join(f"| {number} | {times} |" for number, times in counted)
    return f"""## What a kill loses

{len(kills)} times: {BURST} texts of ten clients as fast as they go, `kill -9` at a moment by chance
in the middle (seed {SEED}), a new start, then what never reached amoCRM.

| lost of {BURST} | kills |
|---|---|
{table}

Mean {statistics.mean(lost):.2f}, median {statistics.median(lost):g}, worst {max(lost)}; texts that
came twice: {sum(kill.doubled for kill in kills)}.
"""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    found = asyncio.run(find(parser.parse_args().kills))
    text = page(found)
    print(text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
