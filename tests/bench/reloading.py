"""How long a large file takes to be taken, and for how long it keeps the loop from its work."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from pathlib import Path

from relay.app.interpreter import tune
from tests.bench.report import Figure
from tests.bench.rig import Meter, Rig, file_for, rig

USERS, ENTRIES, ROUNDS = 1_000, 100_000, 5
_NOBODY = "http://127.0.0.1:9"
_WANTED_S, _WANTED_STALL_S = 1.0, 0.05


async def reloading() -> list[Figure]:
    """The best of a few rounds; in each all users and all entries are others."""
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with rig(_NOBODY, home=Path(home)) as here:
            rounds = [await _round(here, Path(home, "config.yaml"), s) for s in range(ROUNDS)]
    wall, cpu, stall, held = (min(row) for row in zip(*rounds, strict=True))
    what = f"a reload of {USERS:,} users and {ENTRIES:,} blacklist entries".replace(",", " ")
    return [
        Figure(what, "", f"{wall:.2f} s", "", "< 1 s", wall < _WANTED_S),
        Figure("its processor time", "", f"{cpu:.2f} s"),
        _stall("longest stall of the loop meanwhile", stall),
        _stall("longest stall of the loop meanwhile, in processor time", held),
    ]


def _stall(name: str, found_s: float) -> Figure:
    return Figure(name, "", f"{found_s * 1000:.0f} ms", "", "≤ 50 ms", found_s <= _WANTED_STALL_S)


async def _round(here: Rig, path: Path, seed: int) -> tuple[float, float, float, float]:
    await asyncio.to_thread(path.write_text, large_file(seed), "utf-8")
    async with Ticking() as ticking:
        meter = Meter()
        await here.parts.reloader.reload()
        took = meter.read()
    assert not here.parts.reloader.last.errors
    return took.wall, took.cpu, ticking.longest_s, ticking.longest_cpu_s


def large_file(seed: int) -> str:
    """A file of so many users and entries, all others than with another seed."""
    with file_for(_NOBODY) as (path, _):
        return path.read_text("utf-8").partition("users:")[0] + _large(seed)


def _large(seed: int) -> str:
    numbers = (f"+7{900 + seed}{count:07}" for count in range(ENTRIES * 9 // 10))
    beginnings = (f"+8{count:05}{seed}*" for count in range(ENTRIES // 10))
    lines = [f'    - "{entry}"' for entry in itertools.chain(numbers, beginnings)]
    users = [
        f"  {8_000_000 + count}: {{name: Менеджер {count}, channels: [sales], "
        f"signature: Смена {seed}}}"
        for count in range(USERS)
    ]
    return "\n".join(["settings:", "  blacklist:", *lines, "users:", *users, ""])


class Ticking:
    """Beats every millisecond beside the work, and remembers the longest pause between two.

    In wall time, and in processor time of this process, which a busy machine does not lengthen.
    """

    def __init__(self) -> None:
        self.longest_s = self.longest_cpu_s = 0.0

    async def __aenter__(self) -> Ticking:
        self._task = asyncio.create_task(self._tick())
        await asyncio.sleep(0.05)  # the first beats are not about the work
        self.longest_s = self.longest_cpu_s = 0.0
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        last, last_cpu = loop.time(), time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now, cpu = loop.time(), time.process_time()
            self.longest_s = max(self.longest_s, now - last - 0.001)
            self.longest_cpu_s = max(self.longest_cpu_s, cpu - last_cpu)
            last, last_cpu = now, cpu


if __name__ == "__main__":
    tune()
    for figure in asyncio.run(reloading()):
        print(figure)
