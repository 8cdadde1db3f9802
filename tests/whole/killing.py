"""Kills a relay in the middle of a burst and counts what did not reach amoCRM as it was.

One row of kills uses one session, as an unlucky relay would: each restart is also the start of the
next burst. A burst comes from several clients at once, and each of them writes a last word when
the relay is back. Within a conversation the order is kept, so once all last words are in amoCRM,
whatever is missing will never come.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from relay.amocrm.placeholders import placeholder
from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.domain.contents import UNDECRYPTABLE
from relay.domain.settings import Language
from tests.app import files
from tests.whatsapp_server import Contact, LinkedDevice, Phone, WhatsAppServer
from tests.whole.daemon import relay_run

OWN = "74950000001"
BURST = 500
CLIENTS = 10
LATEST_S = 0.02  # a kill comes up to that long after the confirmation that it waits for
PATIENCE_S = 120.0
PLACEHOLDER = placeholder(UNDECRYPTABLE, Language.RU)


@dataclass(frozen=True, slots=True)
class Kill:
    """What one kill cost.

    ``missing``: the texts that never came. ``told``: how many placeholders say that there was one.
    ``doubled``: how many texts came twice. ``confirmed``: how many of the burst the client had
    confirmed to WhatsApp by then.
    """

    missing: tuple[str, ...]
    told: int
    doubled: int
    confirmed: int

    @property
    def lost(self) -> int:
        """How many texts nobody was ever told of."""
        return len(self.missing) - self.told


@dataclass
class Row:
    """Everything around the relays that are killed."""

    whatsapp: WhatsAppServer
    amocrm: PretendedAmoCRM
    phone: Phone
    clients: list[Contact]
    config: Path
    device: LinkedDevice
    sent: int = 0
    seen: int = 0

    async def kills(self, count: int, chance: random.Random) -> AsyncIterator[Kill]:
        """Kill that many relays, one after the other."""
        for number in range(count):
            yield await self.kill(str(number), chance)

    async def kill(self, name: str, chance: random.Random) -> Kill:
        """A burst, a kill at a moment by chance, another relay, and what is missing then."""
        after = chance.randint(BURST // 10, BURST * 9 // 10)
        later_s = chance.uniform(0, LATEST_S)
        texts = [f"{name}/{index}" for index in range(BURST)]
        self.sent, self.seen = 0, len(self.amocrm.account.messages)
        async with relay_run(self.config, self.whatsapp.environment()) as relay:
            await relay.logged("session_state", state="connected")
            await self.device.online()
            sending = asyncio.create_task(self._burst(texts), name="burst")
            await self.device.until(lambda: self._confirmed() >= after, "confirm")
            await asyncio.sleep(later_s)
            await relay.kill()
            await sending
        confirmed = self._confirmed()
        async with relay_run(self.config, self.whatsapp.environment()) as relay:
            await relay.logged("session_state", state="connected")
            last = [f"{name}/last/{client.number}" for client in self.clients]
            for client, text in zip(self.clients, last, strict=True):
                await client.send(self.phone, text)
            await self._arrived(last)
            assert await relay.terminate() == 0
        arrived = Counter(self._texts())
        told = arrived.pop(PLACEHOLDER, 0)
        missing = tuple(text for text in texts if text not in arrived)
        return Kill(missing, told, arrived.total() - len(arrived), confirmed)

    async def _burst(self, texts: list[str]) -> None:
        for index, text in enumerate(texts):
            await self.clients[index % CLIENTS].send(self.phone, text)
            self.sent += 1

    def _confirmed(self) -> int:
        return self.sent - len(self.device.waiting)

    def _texts(self) -> list[str]:
        return [message.text for message in self.amocrm.account.messages[self.seen :]]

    async def _arrived(self, texts: list[str]) -> None:
        await self.amocrm.wait_for(lambda _: set(texts).issubset(self._texts()), PATIENCE_S)


@asynccontextmanager
async def row(home: Path) -> AsyncIterator[Row]:
    """WhatsApp, amoCRM, a linked phone and its clients; no relay yet."""
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        phone = whatsapp.phone(OWN, "Sales")
        store = home / "storage" / "sessions" / "sales.db"
        store.parent.mkdir(parents=True, mode=0o700)
        device = await whatsapp.pair_store(store, phone)
        files.save(home / "config.yaml", files.config(amocrm))
        clients = [whatsapp.contact(f"7999000{n:04}", f"Client {n}") for n in range(CLIENTS)]
        yield Row(whatsapp, amocrm, phone, clients, home / "config.yaml", device)
