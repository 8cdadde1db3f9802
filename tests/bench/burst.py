"""A burst through the real client: the relay beside the client alone, and how long taking in takes.

The burst waits in WhatsApp's offline queue, encrypted already, so that what is measured is the
client, and not our server's Python.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from relay.delivery.ports import HandOver
from relay.delivery.steps import Step, StepEvent
from relay.sqlite.group_commit import GroupCommit
from tests.app import files
from tests.bench.processes import processor_s
from tests.bench.rig import payload, rig
from tests.bench.sink import sink
from tests.whatsapp_server.harness import RealClient
from tests.whole.daemon import relay_run
from tests.whole.killing import CLIENTS, Row, row

MESSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of a burst: by the clock, and of a processor."""

    wall: float
    cpu: float


async def client_alone(*, quiet: bool) -> Took:
    """From the login of a bare client until its program has heard the whole burst.

    Its store is as durable as the relay's: that is the client's own work, not the relay's.
    ``quiet``: without the log that by default brings every stanza into Python.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with row(Path(home)) as town:
            await _queue(town)
            store = Path(home) / "storage" / "sessions" / "sales.db"
            environment = town.whatsapp.environment()
            async with RealClient(environment, store, durable=True, quiet=quiet) as client:
                await town.device.online()
                took = _meter(client.pid)
                for _ in range(MESSAGES):
                    await client.event("message")
                return took()


async def through_relay() -> Took:
    """From the login of a relay's session until the whole burst is in amoCRM.

    amoCRM's chats API is a sink: what is measured is the relay, not our pretended amoCRM's Python.
    """
    with sink() as chats, tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with row(Path(home)) as town:
            await _queue(town)
            files.save(
                town.config, files.config(town.amocrm, amocrm={"chats": _chats(town, chats)})
            )
            async with relay_run(town.config, town.whatsapp.environment()) as relay:
                await town.device.online()
                took = _meter(relay.process.pid)
                await relay.logged_times("delivered", MESSAGES)
                return took()


def _chats(town: Row, url: str) -> dict[str, str]:
    identity = town.amocrm.identity
    return {"channel_id": identity.channel_id, "secret": identity.channel_secret, "url": url}


def _meter(pid: int) -> Callable[[], Took]:
    wall, cpu = time.monotonic(), processor_s(pid)
    return lambda: Took(time.monotonic() - wall, processor_s(pid) - cpu)


async def _queue(town: Row) -> None:
    for number in range(MESSAGES):
        await town.clients[number % CLIENTS].send(town.phone, f"burst {number}")


@dataclass(frozen=True, slots=True)
class TakingIn:
    """Milliseconds from the library's call: until its thread is free, until COMMIT has returned.

    ``bare``: what a write and an ``fsync`` of a few bytes took on the same disk in between.
    """

    free: list[float]
    committed: list[float]
    bare: list[float]


async def taking_in(messages: int, rate: int, *, within: Path | None = None) -> TakingIn:
    """What the callback of a session waits for, at an even pace, with amoCRM served beside.

    ``within``: the directory that the relay's own is made in.
    """
    begun: list[float] = []
    free: list[float] = []
    committed: list[float] = []
    loop, enough = asyncio.get_running_loop(), asyncio.Event()

    def observe(step: Step) -> None:
        if step.event is StepEvent.ACCEPTED:
            committed.append(commits.latest)
            if len(committed) == messages:
                loop.call_soon_threadsafe(enough.set)

    def session(hand_over: HandOver) -> None:
        start = time.perf_counter()
        for number in range(messages):
            time.sleep(max(0.0, start + number / rate - time.perf_counter()))
            begun.append(time.perf_counter())
            hand_over.from_thread(payload(number, number % CLIENTS))
            free.append(time.perf_counter())

    await asyncio.to_thread(os.sync)  # else a commit here waits for what came before on this disk
    with (
        sink() as url,
        tempfile.TemporaryDirectory(prefix="bench-", dir=within) as home,
        Commits() as commits,
    ):
        async with rig(url, observe, Path(home)) as rigged:
            bare = await asyncio.to_thread(_bare_commits, rigged.storage / "bare", rate)
            await asyncio.to_thread(session, rigged.hand_over)
            await enough.wait()
            bare += await asyncio.to_thread(_bare_commits, rigged.storage / "bare", rate)
    return TakingIn(_between(begun, free), _between(begun, committed), bare)


class Commits:
    """Notes when the latest COMMIT returned, on whichever thread, by the performance counter."""

    def __init__(self) -> None:
        self.latest = 0.0
        self._plain = GroupCommit.commit

    def __enter__(self) -> Commits:
        def commit(group: GroupCommit) -> None:
            self._plain(group)
            self.latest = time.perf_counter()

        GroupCommit.commit = commit  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        GroupCommit.commit = self._plain  # type: ignore[method-assign]


def _bare_commits(path: Path, count: int) -> list[float]:
    took = list[float]()
    with path.open("ab", buffering=0) as file:
        for number in range(count):
            begun = time.perf_counter()
            file.write(payload(number, 0))
            os.fsync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return took


def _between(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [(end - start) * 1000 for start, end in zip(before, after, strict=True)]
