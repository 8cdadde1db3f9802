"""Files: how many small ones a second, what a large one costs in memory, and whom it delays."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import statistics
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web

from relay.amocrm.files import AmoCrmFiles, open_files_session
from relay.amocrm.hosts import Hosts
from relay.app.interpreter import tune
from relay.delivery.steps import Step, StepEvent
from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.web.server import Server, address, bind
from tests.bench.file_server import file_server
from tests.bench.into_amocrm import LANES, Counter, bare_session, paced, post
from tests.bench.report import Figure, milliseconds, percentile, table
from tests.bench.rig import SALES, Cost, Meter, Rig, payload, rig
from tests.bench.sink import sink

SMALL, IMAGES, ROUNDS, MORE = 40_000, 1_000, 3, 8
LARGE = 100_000_000
PACE, PACED, TURNS = 50, 300, 5
MB = 1_000_000


class Messages(Counter):
    """Counts messages delivered, and not the files that were fetched for them."""

    def __call__(self, step: Step) -> None:
        if step.event is StepEvent.DELIVERED and step.kind == "new_message":
            super().__call__(step)


def picture(number: int, lane: int, link: str) -> bytes:
    """A client's picture, as the engine hands it over."""
    return json.dumps(json.loads(payload(number, lane)) | {"file": link}).encode()


async def looped_images(url: str, files: str, first: int) -> Cost:
    """The bare loop: download, post, and then the next one. Nothing is kept."""
    async with bare_session() as session:
        meter = Meter()
        for index in range(first, first + IMAGES):
            async with session.get(f"{files}/{SMALL}/{index}") as response:
                await response.read()
            await post(session, url, index, index % LANES)
        return meter.read()


async def bare_images(url: str, files: str, directory: Path, first: int) -> Cost:
    """So many loops as there are lanes, all at once, which write what they download to files."""

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
    """By turns; the best round of each. Then the relay alone, on and on."""
    counter, loops, bares, relays = Messages(), list[Cost](), list[Cost](), list[Cost]()
    async with rig(url, counter) as rigged:
        directory = rigged.storage / "bare"  # what a new file costs depends on its neighbourhood
        directory.mkdir()
        for first in range(0, (1 + ROUNDS) * 1_000_000, 1_000_000):
            loops.append(await looped_images(url, files, first))
            bares.append(await bare_images(url, files, directory, first + 200_000))
            relays.append(await relayed_images(rigged, counter, files, first + 500_000))
        more = range(1_700_000, 1_700_000 + MORE * IMAGES, IMAGES)
        later = [await relayed_images(rigged, counter, files, first) for first in more]
    costs = [part[1:] for part in (loops, bares, relays)]  # the first round loads what it needs
    loop, bare, relay = [IMAGES / min(cost.wall for cost in part) for part in costs]
    cpus = [min(cost.cpu for cost in part) / IMAGES * 1e6 for part in costs[1:]]
    on_and_on = MORE * IMAGES / sum(cost.wall for cost in later)
    name = f"pictures of {SMALL // 1000} KB into amoCRM, a second"
    return iter(
        (
            _rate(name, loop, relay, wanted=0.7),
            _rate(f"the same beside {LANES} loops at once, which write files", bare, relay),
            _rate(f"the same, {MORE * IMAGES} one after the other", bare, on_and_on),
            Figure(
                "processor µs a picture, beside these",
                f"{cpus[0]:.0f}",
                f"{cpus[1]:.0f}",
                f"{cpus[1] / cpus[0]:.2f}×",
            ),
        )
    )


def _rate(name: str, bare: float, relay: float, wanted: float | None = None) -> Figure:
    ratio = relay / bare
    figure = Figure(name, f"{bare:.0f}", f"{relay:.0f}", f"{ratio:.2f}")
    return figure if wanted is None else replace(figure, wanted=f"≥ {wanted}", met=ratio >= wanted)


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


Get = Callable[[str], Awaitable[None]]


@contextlib.asynccontextmanager
async def given_out(rigged: Rig) -> AsyncIterator[Get]:
    """The relay's door for files, on a port of its own, and who gets them there by their names.

    A process for all files: to start one would hold the loop that is measured.
    """
    sock = bind("127.0.0.1", 0)
    command = ("xargs", "-L1", "curl", "-sSf", "-o", "/dev/null", "-w", "%{http_code}\\n")
    pipe = asyncio.subprocess.PIPE
    async with Server(sock, list[web.RouteDef](rigged.parts.media.routes())):
        curl = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert curl.stdin is not None
        assert curl.stdout is not None
        asked, told = curl.stdin, curl.stdout

        async def get(name: str) -> None:
            asked.write(f"http://{address(sock)}/media/{name}\n".encode())
            assert await told.readline() == b"200\n"

        yield get
        asked.close()
        await curl.wait()


async def large_in(rigged: Rig, files: str, get: Get, number: int, size: int = LARGE) -> None:
    """From WhatsApp into our store, and from there to amoCRM."""
    store, engine = rigged.parts.media.files, rigged.parts.channels.engine(SALES)
    assert engine is not None
    async with store.receive() as file:
        await engine.fetch(f"{files}/{size}/{number}", file.write)
        media = Media(MediaKind.DOCUMENT, None, name="large.jpg")
        kept = await file.keep(media, towards=Destination.AMOCRM)
    await get(kept.name)
    await store.on_thread(store.remove, store.path(kept.name))


async def large_out(rigged: Rig, files: str, number: int, size: int = LARGE) -> None:
    """From amoCRM into our store, from where WhatsApp gets it."""
    hosts, store = Hosts([files]), rigged.parts.media.files
    async with open_files_session(hosts) as session:
        source = AmoCrmFiles(session, hosts, _no_token, lambda: LARGE)
        async with store.receive() as file:
            await source.fetch(f"{files}/{size}/{number}", file.write)
            media = Media(MediaKind.DOCUMENT, None, name="large.jpg")
            kept = await file.keep(media, towards=Destination.WHATSAPP)
        await store.on_thread(store.remove, store.path(kept.name))


async def _no_token() -> str:
    return ""


async def large(url: str, files: str) -> Iterator[Figure]:
    """What a file of 100 MB costs in memory, and in the time of texts meanwhile."""
    counter = Counter()
    async with rig(url, counter) as rigged, given_out(rigged) as get:
        await large_in(rigged, files, get, 1, MB)  # whatever is loaded at first is loaded
        await large_out(rigged, files, 2, MB)
        with Watch() as came:
            await large_in(rigged, files, get, 3)
        with Watch() as went:
            await large_out(rigged, files, 4)
        numbers = itertools.count(5)

        async def transfer() -> None:
            await large_in(rigged, files, get, next(numbers))
            await large_out(rigged, files, next(numbers))

        delays = await texts_beside(rigged, counter, transfer)
    return iter((*_memory(came, went), _delay(delays)))


async def texts_beside(
    rigged: Rig, counter: Counter, transfer: Callable[[], Awaitable[None]]
) -> list[tuple[float, float]]:
    """Texts at an even pace, alone and beside transfers by turns: the slowest hundredth of each."""
    numbers, over = itertools.count(1_000_000), asyncio.Event()

    async def texts() -> float:
        async def text(number: int) -> None:
            before = counter.count
            await rigged.hand_over(payload(next(numbers), number % LANES))
            await counter.until(before + 1)

        return percentile(await paced(PACED, PACE, text), 0.99)

    async def transfers() -> None:
        while not over.is_set():
            await transfer()

    await texts()
    delays = list[tuple[float, float]]()
    for _ in range(TURNS):
        alone = await texts()
        over.clear()
        busy = asyncio.create_task(transfers())
        delays.append((alone, await texts()))
        over.set()
        await busy
    return delays


def _memory(came: Watch, went: Watch) -> Iterator[Figure]:
    for name, watch in (("from WhatsApp and on to amoCRM", came), ("from amoCRM", went)):
        grown = watch.grown / MB
        yield Figure(
            f"100 MB {name}, more memory", "", f"{grown:.1f} MB", "", "< 20 MB", met=grown < 20
        )


def _delay(delays: Sequence[tuple[float, float]]) -> Figure:
    """Medians: one noisy turn is to say nothing."""
    alone = statistics.median(alone for alone, _ in delays)
    beside = statistics.median(beside for _, beside in delays)
    ratio = statistics.median(beside / alone for alone, beside in delays)
    return Figure(
        "texts beside files of 100 MB, p99",
        f"{milliseconds(alone)} (alone)",
        milliseconds(beside),
        f"{ratio:.2f}×",
        "≤ 2×",
        met=ratio <= 2,
    )


async def main() -> list[Figure]:
    """All figures of files."""
    with file_server() as files, sink() as url:
        return [*await images(url, files), *await large(url, files)]


if __name__ == "__main__":
    tune()
    print(table(asyncio.run(main())))
