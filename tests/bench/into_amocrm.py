"""Into amoCRM: throughput, processor time and latency beside a bare client that does the same."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator

import aiohttp

from relay.amocrm import protocol
from relay.delivery.steps import Step, StepEvent
from tests.bench.report import Figure, milliseconds, percentile, times
from tests.bench.rig import SCOPE, SECRET, Cost, Meter, Rig, payload, rig

LANES = 64
ROUNDS, MESSAGES = 7, 1_500
PACE, PACED = 50, 300
PATH = f"/v2/origin/custom/{SCOPE}"


def body(number: int, lane: int) -> bytes:
    """The very kind of body that the relay makes of :func:`tests.bench.rig.payload`."""
    said = json.loads(payload(number, lane))
    client = {"id": f"wa-{said['from']}", "name": "Иван", "profile": {"phone": f"+{said['from']}"}}
    message = {
        "timestamp": 1_770_000_000,
        "msec_timestamp": 1_770_000_000_000,
        "msgid": f"wa-74950000001-{said['id']}",
        "conversation_id": f"wa-74950000001-{said['from']}",
        "silent": False,
        "sender": client,
        "message": {"type": "text", "text": said["text"]},
    }
    document = {"event_type": "new_message", "payload": message}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


async def post(session: aiohttp.ClientSession, url: str, number: int, lane: int) -> None:
    """Sign and post one message, and read the answer."""
    data = body(number, lane)
    headers = protocol.sign(
        "POST", PATH, data, SECRET, protocol.date_header(time.time_ns() // 1_000_000)
    )
    async with session.post(url + PATH, data=data, headers=headers) as response:
        assert response.status == 200
        await response.read()


def bare_session() -> aiohttp.ClientSession:
    """What anyone would open."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=LANES))


async def bare(url: str, messages: int) -> Cost:
    """Each lane posts its messages one after the other."""

    async def lane(number: int) -> None:
        for index in range(number, messages, LANES):
            await post(session, url, index, number)

    async with bare_session() as session:
        meter = Meter()
        await asyncio.gather(*(lane(number) for number in range(LANES)))
        return meter.read()


class Counter:
    """Counts deliveries and tells when there are enough."""

    def __init__(self) -> None:
        self.count = 0
        self._wanted = 0
        self._enough = asyncio.Event()

    def __call__(self, step: Step) -> None:
        """Observe a step."""
        if step.event is StepEvent.DELIVERED:
            self.count += 1
            if self.count >= self._wanted:
                self._enough.set()

    async def until(self, wanted: int) -> None:
        """Back once that many have been delivered in all."""
        self._wanted = wanted
        if self.count < wanted:
            self._enough.clear()
            await self._enough.wait()


async def push(
    rigged: Rig, counter: Counter, first: int, messages: int, lanes: int = LANES
) -> Cost:
    """Accepted, committed, signed, posted, answered, committed: all of them."""
    meter, before = Meter(), counter.count

    async def lane(number: int) -> None:
        for index in range(first + number, first + messages, lanes):
            await rigged.hand_over(payload(index, number))

    await asyncio.gather(*(lane(number) for number in range(lanes)))
    await counter.until(before + messages)
    return meter.read()


async def bare_latencies(url: str, messages: int, rate: int) -> list[float]:
    """Milliseconds of each bare post, at an even pace."""
    async with bare_session() as session:
        return await paced(messages, rate, lambda n: post(session, url, n, n % LANES))


async def relayed_latencies(url: str, messages: int, rate: int) -> list[float]:
    """Milliseconds from handing over to "delivered" written down, at an even pace."""
    counter = Counter()
    async with rig(url, counter) as rigged:

        async def one(number: int) -> None:
            await rigged.hand_over(payload(number, number % LANES))
            await counter.until(number + 1)

        return await paced(messages, rate, one)


async def paced(messages: int, rate: int, one: Callable[[int], Awaitable[None]]) -> list[float]:
    """Do one after the other, ``rate`` a second; how long each took."""
    took: list[float] = []
    begun = time.perf_counter()
    for number in range(messages):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        start = time.perf_counter()
        await one(number)
        took.append((time.perf_counter() - start) * 1000)
    return took


async def throughput(url: str) -> Iterator[Figure]:
    """Both by turns, several times; the best round of each."""
    counter, bares, relays = Counter(), list[Cost](), list[Cost]()
    async with rig(url, counter) as rigged:
        await bare(url, MESSAGES // 3)
        await push(rigged, counter, 0, MESSAGES // 3)
        for number in range(1, ROUNDS + 1):
            bares.append(await bare(url, MESSAGES))
            relays.append(await push(rigged, counter, number * 1_000_000, MESSAGES))
    rates = [MESSAGES / min(cost.wall for cost in costs) for costs in (bares, relays)]
    cpus = [min(cost.cpu for cost in costs) / MESSAGES * 1e6 for costs in (bares, relays)]
    ratio = rates[1] / rates[0]
    return iter(
        (
            Figure(
                "into amoCRM, messages/s",
                f"{rates[0]:.0f}",
                f"{rates[1]:.0f}",
                f"{ratio:.2f}",
                "≥ 0.5, aim 0.7",
                met=ratio >= 0.5,
            ),
            Figure(
                "into amoCRM, processor µs a message",
                f"{cpus[0]:.0f}",
                f"{cpus[1]:.0f}",
                times(cpus[1] / cpus[0]),
            ),
        )
    )


async def latency(url: str) -> Iterator[Figure]:
    """Milliseconds at an even pace, until the outcome is written down."""
    bares = await bare_latencies(url, PACED, PACE)
    relays = await relayed_latencies(url, PACED, PACE)
    figures = []
    for name, share, wanted in (("median", 0.5, 3.0), ("p99", 0.99, 15.0)):
        without, with_ = percentile(bares, share), percentile(relays, share)
        figures.append(
            Figure(
                f"into amoCRM at {PACE}/s, {name}",
                milliseconds(without),
                milliseconds(with_),
                f"+{milliseconds(with_ - without)}",
                f"≤ +{wanted:.0f} ms",
                met=with_ - without <= wanted,
            )
        )
    return iter(figures)
