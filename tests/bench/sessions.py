"""``python -m tests.bench.sessions``: linked devices against our own WhatsApp server.

Prints its findings and keeps them as a section of ``docs/benchmarks.md``. It takes about half an
hour, most of it for the kills; ``--kills N`` makes it shorter. No test: nothing passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from relay.app.interpreter import tune
from tests.bench.burst import TakingIn, Took, client_alone, taking_in, through_relay
from tests.bench.many_sessions import Figures, measure
from tests.bench.report import Figure, keep_section, machine, percentile, table, times
from tests.whole.killing import BURST, Kill, row

MEMORY = Path("/dev/shm")  # noqa: S108 - what is there costs no disk
KILLS_IN_A_ROW = 10
SEED = 20261122
ROUNDS = 3
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured in one run."""

    sessions: Sequence[Figures]
    alone: Sequence[Took]
    quiet: Sequence[Took]
    relay: Sequence[Took]
    taking: TakingIn
    without_disk: TakingIn
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
        told, lost = sum(kill.told for kill in kills), sum(kill.lost for kill in kills)
        print(f"{len(kills)} kills: {told} placeholders, {lost} lost", flush=True)
    return kills


async def find(kills: int) -> Findings:
    """Measure everything, one after the other."""
    load = os.getloadavg()[0]
    sessions = [await measure(number) for number in (1, 10, 50)]
    alone, quiet, relayed = list[Took](), list[Took](), list[Took]()
    for _ in range(ROUNDS):
        alone.append(await client_alone(quiet=False))
        quiet.append(await client_alone(quiet=True))
        relayed.append(await through_relay())
    taking = await taking_in(1_000, 100)
    without_disk = await taking_in(1_000, 100, within=MEMORY)
    kills_ = await kill_many(kills)
    return Findings(sessions, alone, quiet, relayed, taking, without_disk, kills_, load)


def section(found: Findings) -> str:
    """The findings as a section of the page."""
    figures = table([*_sessions(found.sessions), *_speed(found)])
    return "\n".join((_HEAD.format(**_place(found)), figures, "", _kills(found.kills)))


def _place(found: Findings) -> dict[str, object]:
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    return {"date": date, "machine": machine(), "load": found.load, "rounds": len(found.alone)}


_HEAD = """Written by `python -m tests.bench.sessions`: the unmodified `relay run` with the
unmodified library, our own WhatsApp server and a pretended amoCRM beside them. Last: {date}, on
{machine}, load {load:.1f}. It shows what this program does, not what WhatsApp accepts.

* **A session**: resident memory, threads and descriptors of a relay with one, ten and fifty paired
  sessions, idle; started, watched for twenty seconds, stopped.
* **A burst**: a thousand texts of ten clients from WhatsApp's offline queue, median of {rounds}
  rounds: until a bare client's program has heard them, and until the relay has them in amoCRM.
  The bare client keeps its session as durably as the relay does; by default it brings every line
  of its log into Python, stanzas and all, which the relay does not let it do. amoCRM's chats API is
  a sink. Of two processors our WhatsApp server takes half of one, so what the relay adds is added
  to the time.
* **From the library's call**, a hundred a second: until its thread is free (from then on no kill
  can lose the event), and until the COMMIT that keeps it has returned from its `fsync`; bare is one
  `fsync` after another of a few bytes in a file beside, right before and after.
"""


def _sessions(measured: Sequence[Figures]) -> list[Figure]:
    one, last = measured[0], measured[-1]
    more = last.sessions - one.sessions
    memory = (last.memory - one.memory) / more / _MIB
    threads = (last.threads - one.threads) / more
    resident = " / ".join(f"{f.memory / _MIB:.0f}" for f in measured)
    numbers = " / ".join(str(f.sessions) for f in measured)
    busy = " / ".join(f"{f.idle:.1%}" for f in measured)
    stops = " / ".join(f"{f.stop_s:.1f} s" for f in measured)
    doors = " / ".join(f"{f.door_s:.1f} s" for f in measured)
    return [
        Figure(f"resident MB with {numbers} sessions", "", resident),
        Figure("MB each above the first", "", f"{memory:.2f}", "", "≤ 1", memory <= 1),
        Figure("threads each above the first", "", f"{threads:.2f}", "", "≤ 2", threads <= 2),
        Figure(f"descriptors of {last.sessions} sessions", "", str(last.descriptors)),
        Figure("idle, of one core", "", busy, "", "≤ 2 %", last.idle <= 0.02),
        Figure("door for hooks open", "", doors),
        Figure(
            f"{last.sessions} sessions connected", "", f"{last.connected_s:.1f} s", "", "≤ 30 s",
            last.connected_s <= 30,
        ),
        Figure("clean stop", "", stops, "", "≤ 10 s", last.stop_s <= 10),
    ]  # fmt: skip


def _speed(found: Findings) -> list[Figure]:
    alone, quiet, relayed = _median(found.alone), _median(found.quiet), _median(found.relay)
    ratio = alone.wall / relayed.wall
    committed = statistics.median(found.taking.committed)
    return [
        Figure(
            "a burst of 1 000 into amoCRM", f"{alone.wall:.1f} s", f"{relayed.wall:.1f} s",
            f"{ratio:.2f}", "≥ 0.9", ratio >= 0.9,
        ),
        Figure(
            "the same beside a client without a log", f"{quiet.wall:.1f} s",
            f"{relayed.wall:.1f} s", f"{quiet.wall / relayed.wall:.2f}",
        ),
        Figure(
            "processor time of that", f"{alone.cpu:.1f} s", f"{relayed.cpu:.1f} s",
            times(relayed.cpu / alone.cpu),
        ),
        Figure("library's call → its thread is free", "", _spread(found.taking.free)),
        Figure(
            "library's call → committed", _spread(found.taking.bare),
            _spread(found.taking.committed), "", "median ≤ 2 ms",
            committed <= 2,
        ),
        Figure(
            "the same in memory, where a commit is free", _spread(found.without_disk.bare),
            _spread(found.without_disk.committed),
        ),
    ]  # fmt: skip


def _median(rounds: Sequence[Took]) -> Took:
    walls, processor = [one.wall for one in rounds], [one.cpu for one in rounds]
    return Took(statistics.median(walls), statistics.median(processor))


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ms, 99 %: {percentile(values, 0.99):.2f} ms"


def _kills(kills: Sequence[Kill]) -> str:
    told = Counter(kill.told for kill in kills)
    lost = Counter(kill.lost for kill in kills)
    numbers = sorted(told.keys() | lost.keys())
    mean, worst = statistics.mean(told.elements()), max(told)
    most = percentile(list(told.elements()), 0.95)
    doubled = sum(kill.doubled for kill in kills)
    return f"""**What a kill costs.** {len(kills)} times: {BURST} texts of ten clients as fast as
they go, `kill -9` at a moment by chance in the middle (seed {SEED}), a new start; then what amoCRM
has only a placeholder of ("could not be decrypted, open it on the phone"), and what it has nothing
of at all.

| of {BURST} | {_row(numbers)} |
|---|{"---:|" * len(numbers)}
| kills with so many placeholders | {_row(told[number] for number in numbers)} |
| kills with so many lost | {_row(lost[number] for number in numbers)} |

Placeholders: {mean:.1f} on average, in 95 % of the kills at most {most:.0f}, at worst {worst}.
Lost: {sum(lost.elements())} in all. Texts that came twice: {doubled}.
"""


def _row(values: Iterable[int]) -> str:
    return " | ".join(map(str, values))


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    tune()
    found = asyncio.run(find(parser.parse_args().kills))
    text = section(found)
    print(text)
    keep_section("Sessions", text)


if __name__ == "__main__":
    main()
