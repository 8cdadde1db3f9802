"""Hooks: how many are taken a second, and how long amoCRM waits, beside a bare handler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from relay.amocrm.protocol import sign_hook
from tests.bench.hook_server import CLIENTS, KINDS, hook_server
from tests.bench.report import Figure, milliseconds, percentile
from tests.bench.rig import OWN, SCOPE, SECRET

CONNECTIONS = 200
ROUNDS, HOOKS = 5, 4_000
PACE, PACED = 300, 1_500
LONGEST_MS = 50.0


def hook(number: int) -> bytes:
    """A manager's message, signed, as a whole request."""
    client = f"7900{number % CLIENTS:07}"
    message = {
        "receiver": {"id": "client", "phone": f"+{client}"},
        "sender": {"id": "manager"},
        "conversation": {"id": f"chat-{client}", "client_id": f"wa-{OWN}-{client}"},
        "timestamp": 1_770_000_000,
        "msec_timestamp": 1_770_000_000_000,
        "message": {"id": f"m-{number}", "type": "text", "text": "Добрый день! " * 5},
    }
    said = {"account_id": "a", "time": 1_770_000_000, "message": message}
    body = json.dumps(said).encode()
    head = (
        f"POST /amocrm/hook/{SCOPE} HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n"
        f"X-Signature: {sign_hook(body, SECRET)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller(asyncio.Protocol):
    """One kept connection: a hook, its answer, the next hook."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[None] | None = None
        self._said = b""
        self._turn = asyncio.Lock()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._said += data
        if self._said.endswith(b"\r\n\r\n"):  # answers have no body
            assert self._said.startswith(b"HTTP/1.1 200 "), self._said
            self._said = b""
            assert self._answer is not None
            self._answer.set_result(None)

    async def call(self, request: bytes) -> float:
        """Send a hook once the connection is free; the milliseconds from now to its answer."""
        assert self._transport is not None
        start = time.perf_counter()
        async with self._turn:
            self._answer = asyncio.get_running_loop().create_future()
            self._transport.write(request)
            await self._answer
        return (time.perf_counter() - start) * 1000

    def close(self) -> None:
        """Hang up."""
        assert self._transport is not None
        self._transport.close()


@contextlib.asynccontextmanager
async def callers(port: int) -> AsyncIterator[list[Caller]]:
    """The kept connections to a server."""
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(Caller, "127.0.0.1", port))[1] for _ in range(CONNECTIONS)
    ]
    try:
        yield made
    finally:
        for caller in made:
            caller.close()


async def at_full_speed(made: Sequence[Caller], requests: Sequence[bytes]) -> float:
    """Every connection sends its next hook at once; hooks a second."""

    async def one(number: int) -> None:
        for request in requests[number::CONNECTIONS]:
            await made[number].call(request)

    start = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return len(requests) / (time.perf_counter() - start)


async def at_an_even_pace(made: Sequence[Caller], requests: Sequence[bytes]) -> list[float]:
    """So many a second over all connections; the milliseconds of each."""
    begun, calls = time.perf_counter(), []
    for number, request in enumerate(requests):
        await asyncio.sleep(max(0.0, begun + number / PACE - time.perf_counter()))
        calls.append(asyncio.create_task(made[number % CONNECTIONS].call(request)))
    return await asyncio.gather(*calls)


async def hooks(amocrm: str) -> Iterator[Figure]:
    """All kinds of servers by turns."""
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    waits: dict[str, list[float]] = {}
    async with contextlib.AsyncExitStack() as stack:
        made: dict[str, list[Caller]] = {}
        for kind in KINDS:
            port = stack.enter_context(hook_server(kind, amocrm))
            made[kind] = await stack.enter_async_context(callers(port))
        for kind in KINDS:  # before the rush, which leaves thousands waiting to be sent on
            requests = [hook(ROUNDS * HOOKS + index) for index in range(PACED)]
            waits[kind] = await at_an_even_pace(made[kind], requests)
        for number in range(ROUNDS):
            requests = [hook(number * HOOKS + index) for index in range(HOOKS)]
            for kind in KINDS:
                rates[kind].append(await at_full_speed(made[kind], requests))
    return _figures({kind: max(of) for kind, of in rates.items()}, waits)


def _figures(rates: dict[str, float], waits: dict[str, list[float]]) -> Iterator[Figure]:
    bare = rates["bare"]
    for kind, name in (("door", "hooks taken in"), ("relay", "hooks taken in and sent on")):
        ratio = rates[kind] / bare
        yield Figure(
            f"{name}, a second at full speed",
            f"{bare:.0f}",
            f"{rates[kind]:.0f}",
            f"{ratio:.2f}",
            "≥ 0.5" if kind == "door" else "",
            met=ratio >= 0.5 if kind == "door" else None,
        )
    slowest = {kind: percentile(of, 0.99) for kind, of in waits.items()}
    yield Figure(
        f"hooks at {PACE}/s over {CONNECTIONS} connections, p99",
        milliseconds(slowest["bare"]),
        milliseconds(slowest["relay"]),
        "",
        f"< {LONGEST_MS:.0f} ms",
        met=slowest["relay"] < LONGEST_MS,
    )
