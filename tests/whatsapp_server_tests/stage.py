"""Sets the scene that most tests want: a server, a phone, and a real client linked to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.whatsapp_server import Contact, LinkedDevice, Phone, WhatsAppServer
from tests.whatsapp_server.harness import RealClient


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is there."""

    server: WhatsAppServer
    phone: Phone
    anna: Contact
    client: RealClient
    device: LinkedDevice
    store: Path


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    """A phone ``Sales`` with one linked client that is online, and a contact Anna."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001", "Sales")
        anna = server.contact("79991234567", "Анна")
        store = directory / "store.db"
        device = await server.pair_store(store, phone)
        async with RealClient(server.environment(), store) as client:
            await client.connected()
            await device.online()
            yield Scene(server, phone, anna, client, device, store)
