"""A linked device on the pretended library, with everything it needs on this machine."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.domain.ids import ChannelId, ClientAddress, OwnNumber
from relay.domain.message import Client
from relay.domain.retry import RetryPolicy
from relay.whatsapp.linked_device import LinkedDevice
from relay.whatsapp.linked_device.events import Code
from tests.clock import HandClock
from tests.whatsapp.engine_contract import PATIENCE_S
from tests.whatsapp.linked_device import proxies, samples
from tests.whatsapp.linked_device.pretended_library import PretendedLibrary
from tests.whatsapp_server.tls import create_authority

BACKOFF_MS = 1_000


def pair(store: Path, number: str = samples.OWN) -> None:
    """Leave in the file what the library leaves after a pairing."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS whatsmeow_device (jid TEXT PRIMARY KEY)")
        database.execute("DELETE FROM whatsmeow_device")
        database.execute("INSERT INTO whatsmeow_device VALUES (?)", (f"{number}:1@s.whatsapp.net",))


def unpair(store: Path) -> None:
    """What the library does to the file when the device was removed."""
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("DELETE FROM whatsmeow_device")


class WatchedClock(HandClock):
    """A clock that tells for how long it is being waited."""

    def __init__(self) -> None:
        super().__init__()
        self._waited_ms = 0
        self._asked = asyncio.Event()

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        self._waited_ms = at_most_ms
        self._asked.set()
        await super().wait_ms(event, at_most_ms)

    async def asked_ms(self, at_most_ms: int) -> None:
        """Until somebody waits for that long."""
        async with asyncio.timeout(PATIENCE_S):
            while self._waited_ms != at_most_ms:
                self._asked.clear()
                await self._asked.wait()


@dataclass
class LinkedRig:
    """Implements :class:`tests.whatsapp.engine_contract.Rig`."""

    store: Path
    proxy: str
    clock: WatchedClock = field(default_factory=WatchedClock)
    library: PretendedLibrary = field(default_factory=PretendedLibrary)
    own: OwnNumber = samples.OWN
    client: Client = field(
        default_factory=lambda: Client(ClientAddress("79161234567"), "+79161234567", "Иван")
    )
    written: int = 0

    def __post_init__(self) -> None:
        self.engine = self.another()

    def another(self, phone: str | None = None) -> LinkedDevice:
        """Another engine on the same file."""
        return LinkedDevice(
            ChannelId("sales"),
            self.store,
            phone,
            self.proxy,
            self.clock,
            library=lambda: self.library,
            retry=RetryPolicy(ladder_ms=(BACKOFF_MS,), jitter=0.0),
        )

    async def client_writes(self, text: str) -> None:
        self.written += 1
        where = samples.source(samples.LID, sender_alt=samples.PHONE)
        body = samples.wire(conversation=text)
        self.library.happens(Code.MESSAGE, samples.message(where, body, id_=f"3A{self.written:04}"))

    def seen_by_client(self) -> list[str]:
        return [text for _, text in self.library.sent]


@pytest.fixture(scope="session")
def whatsapp_tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """How WhatsApp answers a handshake, by a certificate of our own."""
    return create_authority(tmp_path_factory.mktemp("authority")).server


@pytest.fixture
async def proxy(whatsapp_tls: ssl.SSLContext) -> AsyncIterator[str]:
    """A proxy behind which WhatsApp answers, so that it seems within reach."""
    async with proxies.proxy(proxies.http(), whatsapp_tls) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def rig(tmp_path: Path, proxy: str) -> AsyncIterator[LinkedRig]:
    """A paired channel; nothing that would have ended the process may have happened to it."""
    store = tmp_path / "sessions" / "sales.db"
    pair(store)
    rig = LinkedRig(store, proxy)
    yield rig
    assert not rig.library.fatal
