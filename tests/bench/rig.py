"""The real parts of a relay around an engine that only hands over what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from relay.amocrm.client import open_session
from relay.app import logging
from relay.app.clock import SystemClock
from relay.app.live import Live
from relay.app.media_parts import opened_media
from relay.app.parts import Parts
from relay.app.surroundings import Surroundings
from relay.config.load import load
from relay.config.model import Config
from relay.config.secret import SecretSource
from relay.delivery.ports import HandOver, MediaWriter, Report
from relay.delivery.steps import Step
from relay.domain.bodies import Reply
from relay.domain.contents import Media, MediaKind, Remote, Text
from relay.domain.ids import ChannelId, ClientAddress, OwnNumber, WhatsAppMessageId
from relay.domain.message import (
    Client,
    Origin,
    Received,
    WhatsAppEvent,
)
from relay.domain.outbox import Delivered, Outcome
from relay.domain.session import SessionState
from relay.sqlite.spool import open_spool
from relay.sqlite.store import open_store
from relay.wire.direct import connect
from relay.wire.downloads import Downloads
from tests.idle_engine import IdleEngine

OWN = OwnNumber("74950000001")
SECRET = "0123456789abcdef0123456789abcdef01234567"
CHANNEL_ID = "11111111-2222-4333-8444-555555555555"
ACCOUNT_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SCOPE = f"{CHANNEL_ID}_{ACCOUNT_ID}"
SALES = ChannelId("sales")

_FILE = """
amocrm:
  account: {amocrm}
  token: bench
  chats: {{channel_id: {channel}, secret: {secret}, url: "{amocrm}"}}
server: {{listen: "127.0.0.1:0", public_url: "http://127.0.0.1", admin_listen: "127.0.0.1:0"}}
storage: {{directory: storage}}
channels:
  sales: {{title: Sales, engine: linked_device}}
users:
  everyone_else: {{channels: [sales]}}
"""


class BenchEngine(IdleEngine):
    """Connected from the first moment; sends nothing anywhere, at once."""

    def __init__(self) -> None:
        self.hand_over: HandOver | None = None
        self._count = 0
        self._downloads = Downloads(connect)

    async def run(self, hand_over: HandOver, report: Report) -> None:
        self.hand_over = hand_over
        report(SessionState.CONNECTED, "bench", OWN)
        try:
            await asyncio.Event().wait()
        finally:
            await self._downloads.close()

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        said = orjson.loads(payload)
        client = Client(ClientAddress(said["from"]), f"+{said['from']}", "Иван")
        return (
            Received(
                own=OWN,
                client=client,
                id=WhatsAppMessageId(said["id"]),
                sent_at_ms=1_770_000_000_000,
                origin=Origin.CLIENT,
                content=_picture(said["file"]) if "file" in said else Text(said["text"]),
            ),
        )

    async def send(self, reply: Reply) -> Outcome:
        del reply
        self._count += 1
        return Delivered(f"W{self._count}")

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """From a server of files, as from the media host: the reference is its link."""
        async with self._downloads.get(ref, {}) as answer:
            async for piece in answer:
                await write(piece)


def _picture(link: str) -> Media:
    return Media(MediaKind.IMAGE, Remote(link), name="photo.jpg")


def payload(number: int, lane: int) -> bytes:
    """A client's message, as the engine hands it over."""
    said = {"id": f"3EB0{number:012X}", "from": f"7900{lane:07}", "text": "Здравствуйте! " * 5}
    return json.dumps(said).encode()


@dataclass(frozen=True)
class Rig:
    """A relay at work, without its servers."""

    parts: Parts
    hand_over: HandOver
    storage: Path


@contextlib.contextmanager
def file_for(amocrm: str, home: Path | None = None) -> Iterator[tuple[Path, Config]]:
    """A configuration file for an amoCRM at that address, in a directory of its own."""
    with contextlib.ExitStack() as stack:
        place = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        path = place / "config.yaml"
        path.write_text(_FILE.format(amocrm=amocrm, channel=CHANNEL_ID, secret=SECRET))
        yield path, load(path, SecretSource(None, {})).config


@functools.cache
def quiet_log() -> None:
    """Every line is made as in production, and written to nowhere."""
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115  open for as long as the process
    logging.configure(level="info", form="json", stream=nowhere)


@contextlib.asynccontextmanager
async def rig(
    amocrm: str,
    observe: Callable[[Step], None] = lambda _: None,
    home: Path | None = None,
    *,
    dispatching: bool = True,
) -> AsyncIterator[Rig]:
    """The real parts, posting to ``amocrm``; letters stay put without ``dispatching``."""
    with contextlib.ExitStack() as stack:
        path, config = stack.enter_context(file_for(amocrm, home))
        quiet_log()
        engine = BenchEngine()
        around = Surroundings(path, SecretSource(None, {}), lambda *_: engine, observers=(observe,))
        async with (
            open_store(config.storage.directory, account=amocrm) as store,
            open_session() as session,
            contextlib.AsyncExitStack() as opened,
        ):
            await store.transact(lambda ledger: ledger.set_fact("amojo_id", ACCOUNT_ID))
            live, spool = Live(config, {SALES: OWN}), open_spool(config.storage.directory)
            media = await opened.enter_async_context(opened_media(live, SystemClock()))
            parts = Parts(live, around, SystemClock(), store, session, spool=spool, media=media)
            await parts.connection.load()
            async with parts.wire, asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(parts.spooling.run())]
                running += [tasks.create_task(s.run()) for s in parts.sorters.values()]
                if dispatching:
                    running += [tasks.create_task(d.run()) for d in parts.dispatchers.values()]
                parts.channels.add(SALES, engine)
                parts.channels.start(SALES, tasks)
                await parts.channels.started()
                assert engine.hand_over is not None
                yield Rig(parts, engine.hand_over, config.storage.directory)
                await parts.channels.stop()
                for task in running:
                    task.cancel()


@dataclass(frozen=True)
class Cost:
    """Wall and processor seconds of this process."""

    wall: float
    cpu: float


class Meter:
    """Measures from its making on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu()

    def read(self) -> Cost:
        """The cost so far."""
        return Cost(time.perf_counter() - self._wall, _cpu() - self._cpu)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
