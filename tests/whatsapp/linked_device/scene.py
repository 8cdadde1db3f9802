"""Sets the scene: our WhatsApp server, an owner's phone, a client, the engine in its process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.whatsapp.linked_device.engine_process import EngineProcess
from tests.whatsapp_server import Contact, LinkedDevice, Phone, WhatsAppServer

OWN = "74950000001"


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is there. ``device`` is the engine as the service knows it."""

    server: WhatsAppServer
    phone: Phone
    anna: Contact
    device: LinkedDevice
    store: Path

    def engine(self, environment: dict[str, str] | None = None) -> EngineProcess:
        """An engine on the session, not started yet."""
        return EngineProcess(environment or self.server.environment(), self.store, own=OWN)


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    """A phone with one paired session that nobody has open."""
    async with WhatsAppServer() as server:
        phone = server.phone(OWN, "Sales")
        anna = server.contact("79161234567", "Анна")
        store = directory / "sessions" / "sales.db"
        store.parent.mkdir(mode=0o700)
        device = await server.pair_store(store, phone)
        yield Scene(server, phone, anna, device, store)


@asynccontextmanager
async def connected(directory: Path) -> AsyncIterator[tuple[Scene, EngineProcess]]:
    """The same with the engine connected."""
    async with scene(directory) as there, there.engine() as engine:
        await engine.state("connected")
        await there.device.online()
        yield there, engine
