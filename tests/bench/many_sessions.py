"""Many sessions in one unmodified ``relay run``: start, memory, threads, idling, stop."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.app import files
from tests.bench.processes import processor_s
from tests.whatsapp_server import WhatsAppServer
from tests.whole.daemon import Daemon, relay_run

SETTLE_S = 5.0
IDLE_S = 20.0
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run with ``sessions`` channels; seconds, bytes, a share of one core."""

    sessions: int
    door_s: float
    connected_s: float
    memory: int
    threads: int
    descriptors: int
    idle: float
    stop_s: float


async def measure(sessions: int) -> Figures:
    """Start a relay with that many paired channels, look at it while it idles, stop it."""
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            await _prepare(Path(home), whatsapp, amocrm, sessions)
            begun = time.monotonic()
            config = Path(home) / "config.yaml"
            async with relay_run(config, whatsapp.environment()) as relay:
                return await _watch(relay, sessions, begun)


async def _prepare(
    home: Path, whatsapp: WhatsAppServer, amocrm: PretendedAmoCRM, sessions: int
) -> None:
    stores = home / "storage" / "sessions"
    stores.mkdir(parents=True, mode=0o700)
    names = [f"c{number}" for number in range(sessions)]
    first, *others = [whatsapp.phone(f"7495000{n:04}", name) for n, name in enumerate(names)]
    await whatsapp.pair_store(stores / "c0.db", first)
    for name, phone in zip(names[1:], others, strict=True):
        whatsapp.clone_store(stores / f"{name}.db", phone, first)
    channels = {name: {"title": name, "engine": "linked_device"} for name in names}
    tree = files.config(amocrm)
    tree["channels"] = channels
    tree["users"] = {"everyone_else": {"channels": names}}
    files.save(home / "config.yaml", tree)


async def _watch(relay: Daemon, sessions: int, begun: float) -> Figures:
    await relay.logged("listening")
    door_s = time.monotonic() - begun
    for number in range(sessions):
        await relay.logged("session_state", channel=f"c{number}", state="connected")
    connected_s = time.monotonic() - begun
    await asyncio.sleep(SETTLE_S)
    process = Path("/proc") / str(relay.process.pid)
    before, since = processor_s(relay.process.pid), time.monotonic()
    await asyncio.sleep(IDLE_S)
    idle = (processor_s(relay.process.pid) - before) / (time.monotonic() - since)
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    descriptors = len(list((process / "fd").iterdir()))
    since = time.monotonic()
    assert await relay.terminate() == 0
    return Figures(
        sessions,
        door_s,
        connected_s,
        int(status["VmRSS"].split()[0]) * _KIB,
        int(status["Threads"]),
        descriptors,
        idle,
        time.monotonic() - since,
    )
