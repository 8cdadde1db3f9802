"""Run every benchmark, print the table and keep it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from relay.app.interpreter import tune
from tests.bench.file_server import file_server
from tests.bench.files import images, large
from tests.bench.growth import grown
from tests.bench.hooks import hooks
from tests.bench.into_amocrm import LANES, latency, throughput
from tests.bench.memory import memory
from tests.bench.reloading import reloading
from tests.bench.report import Figure, keep, table
from tests.bench.rules import rules
from tests.bench.settings import settings
from tests.bench.sink import sink


async def main() -> list[Figure]:
    """All figures, each part told as it comes."""
    figures: list[Figure] = []

    def take(some: Iterable[Figure]) -> None:
        new = list(some)
        figures.extend(new)
        print(table(new).split("\n", 2)[2], flush=True)

    with sink() as url:
        take(await throughput(url))
        take(await latency(url))
        take(await hooks(url))
        take(await grown(url))
        take(await asyncio.to_thread(memory, url))
        with file_server() as files:
            take(await images(url, files))
            take(await large(url, files))
    take(rules())
    take(await reloading())
    take(await settings())
    return figures


if __name__ == "__main__":
    tune()
    found = asyncio.run(main())
    if "--dry" not in sys.argv:
        keep(found, LANES)
