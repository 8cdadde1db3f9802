"""Files: how many small ones a second, what a large one costs in memory, and whom it delays."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
from aiohttp import web

from relay.amocrm.files import AmoCrmFiles, open_files_session
from relay.amocrm.hosts import Hosts
from relay.app.collector import calm_collector
from relay.delivery.steps import Step, StepEvent
from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.web.server import Server, address, bind
from tests.bench.file_server import file_server
from tests.bench.into_amocrm import LANES, Counter, bare_session, paced, post
from tests.bench.report import Figure, milliseconds, percentile, table
from tests.bench.rig import SALES, Cost, Meter, Rig, payload, rig
from tests.bench.sink import sink

SMALL, IMAGES, ROUNDS = 40_000, 1_000, 3
LARGE = 100_000_000
PACE, PACED = 50, 300
MB = 1_000_000


class Messages(Counter):
    """Counts messages delivered, and not the files that were fetched for them."""

    def __call__(self, step: Step) -> None:
        if step.event is StepEvent.DELIVERED and step.kind == "new_message":
            super().__call__(step)


def picture(number: int, lane: int, link: str) -> bytes:
    """A client's picture, as the engine hands it over."""
    return json.dumps(json.loads(payload(number, lane)) | {"file": link}).encode()


async def bare_images(url: str, files: str, directory: Path, first: int) -> Cost:
    """Download, write to a file, post: each lane one after the other."""

    async def lane(session: aiohttp.ClientSession, number: int) -> None:
        for index in range(first + number, first + IMAGES, LANES):
            async with session.get(f"{files}/{SMALL}/{index}") as response:
                (directory / f"{index}.jpg").write_bytes(await response.read())
            await post(session, url, index, number)

    async with bare_session() as session:
        meter = Meter()
        await asyncio.gather(*(lane(session, number) for number in range(LANES)))
        return meter.read()


async def relayed_images(rigged: Rig, counter: Counter, files: str, first: int) -> Cost:
    """Accepted, fetched, kept with fsync, posted, settled."""
    meter, before = Meter(), counter.count

    async def lane(number: int) -> None:
        for index in range(first + number, first + IMAGES, LANES):
            await rigged.hand_over(picture(index, number, f"{files}/{SMALL}/{index}"))

    await asyncio.gather(*(lane(number) for number in range(LANES)))
    await counter.until(before + IMAGES)
    return meter.read()


async def images(url: str, files: str) -> Iterator[Figure]:
    """Both by turns; the best round of each."""
    counter, bares, relays = Messages(), list[Cost](), list[Cost]()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with rig(url, counter) as rigged:
            for number in range(ROUNDS):
                first = (number + 1) * 1_000_000
                bares.append(await bare_images(url, files, Path(directory), first))
                relays.append(await relayed_images(rigged, counter, files, first + 500_000))
    rates = [IMAGES / min(cost.wall for cost in costs) for costs in (bares, relays)]
    cpus = [min(cost.cpu for cost in costs) / IMAGES * 1e6 for costs in (bares, relays)]
    ratio = rates[1] / rates[0]
    rate = Figure(
        f"pictures of {SMALL // 1000} KB into amoCRM, a second",
        f"{rates[0]:.0f}",
        f"{rates[1]:.0f}",
        f"{ratio:.2f}",
        "≥ 0.7",
        met=ratio >= 0.7,
    )
    cpu = Figure(
        "processor µs a picture", f"{cpus[0]:.0f}", f"{cpus[1]:.0f}", f"{cpus[1] / cpus[0]:.2f}×"
    )
    return iter((rate, cpu))


class Watch:
    """How far this process grew while it watched, in bytes."""

    def __enter__(self) -> Watch:
        self.most = self._before = _resident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def grown(self) -> int:
        """Bytes beyond what it began with."""
        return self.most - self._before

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            self.most = max(self.most, _resident())


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@contextlib.asynccontextmanager
async def given_out(rigged: Rig) -> AsyncIterator[str]:
    """The relay's door for files, on a port of its own."""
    sock = bind("127.0.0.1", 0)
    async with Server(sock, list[web.RouteDef](rigged.parts.media.routes())):
        yield f"http://{address(sock)}/media/"


async def large_in(rigged: Rig, files: str, door: str, number: int, size: int = LARGE) -> None:
    """From WhatsApp into our store, and from there to amoCRM."""
    store, engine = rigged.parts.media.files, rigged.parts.channels.engine(SALES)
    assert engine is not None
    async with store.receive() as file:
        await engine.fetch(f"{files}/{size}/{number}", file.write)
        media = Media(MediaKind.DOCUMENT, None, name="large.jpg")
        kept = await file.keep(media, towards=Destination.AMOCRM)
    process = await asyncio.create_subprocess_exec(
        "curl", "-sSf", "-o", "/dev/null", door + kept.name
    )
    assert await process.wait() == 0
    await asyncio.to_thread(store.path(kept.name).unlink)


async def large_out(rigged: Rig, files: str, number: int, size: int = LARGE) -> None:
    """From amoCRM into our store, from where WhatsApp gets it."""
    hosts = Hosts([files])
    async with open_files_session(hosts) as session:
        source = AmoCrmFiles(session, hosts, _no_token, lambda: LARGE)
        async with rigged.parts.media.files.receive() as file:
            await source.fetch(f"{files}/{size}/{number}", file.write)
            media = Media(MediaKind.DOCUMENT, None, name="large.jpg")
            kept = await file.keep(media, towards=Destination.WHATSAPP)
        rigged.parts.media.files.path(kept.name).unlink()


async def _no_token() -> str:
    return ""


async def large(url: str, files: str) -> Iterator[Figure]:
    """What a file of 100 MB costs in memory, and in the time of texts meanwhile."""
    counter = Counter()
    async with rig(url, counter) as rigged, given_out(rigged) as door:
        await large_in(rigged, files, door, 1, MB)  # whatever is loaded at first is loaded
        await large_out(rigged, files, 2, MB)
        with Watch() as came:
            await large_in(rigged, files, door, 3)
        with Watch() as went:
            await large_out(rigged, files, 4)

        async def transfers() -> None:
            for number in range(5, 1000):
                await large_in(rigged, files, door, number)
                await large_out(rigged, files, number + 1000)

        async def texts(first: int) -> float:
            async def text(number: int) -> None:
                before = counter.count
                await rigged.hand_over(payload(first + number, number % LANES))
                await counter.until(before + 1)

            return percentile(await paced(PACED, PACE, text), 0.99)

        await texts(1_000_000)
        alone = await texts(2_000_000)
        busy = asyncio.create_task(transfers())
        beside = await texts(3_000_000)
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
    return iter((*_memory(came, went), _delay(alone, beside)))


def _memory(came: Watch, went: Watch) -> Iterator[Figure]:
    for name, watch in (("from WhatsApp and on to amoCRM", came), ("from amoCRM", went)):
        grown = watch.grown / MB
        yield Figure(
            f"100 MB {name}, more memory", "", f"{grown:.1f} MB", "", "< 20 MB", met=grown < 20
        )


def _delay(alone: float, beside: float) -> Figure:
    return Figure(
        "texts beside files of 100 MB, p99",
        f"{milliseconds(alone)} (alone)",
        milliseconds(beside),
        f"{beside / alone:.2f}×",
        "≤ 2×",
        met=beside <= 2 * alone,
    )


async def main() -> list[Figure]:
    """All figures of files."""
    with file_server() as files, sink() as url:
        return [*await images(url, files), *await large(url, files)]


if __name__ == "__main__":
    calm_collector()
    print(table(asyncio.run(main())))
