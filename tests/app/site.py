"""Everything around one relay: amoCRM, WhatsApp, systemd's sockets, a directory, and its lives."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from relay.demo.pretended_amocrm import OLGA, Message, PretendedAmoCRM
from relay.web.server import address, bind
from tests.app import files
from tests.app.notifications import Notifications
from tests.app.nursery import Nursery
from tests.app.played_whatsapp import PlayedWhatsApp
from tests.app.relay_process import Outfit, RelayProcess

_SHM = Path("/dev/shm")  # noqa: S108  a directory of our own is made in it
_MEMORY = _SHM if _SHM.is_dir() else None


class Site:
    """One relay's surroundings. ``lives`` are its processes, the latest last."""

    def __init__(self, nursery: Nursery, directory: Path) -> None:
        self.directory = directory
        self.amocrm = PretendedAmoCRM()
        self.whatsapp = PlayedWhatsApp(directory / "wa.sock")
        self.systemd = Notifications()
        self.lives: list[RelayProcess] = []
        self.happened = 0
        self.outfit = Outfit(directory / "config.yaml", self.whatsapp.path, directory / "notify")
        self._nursery = nursery
        self._stack = AsyncExitStack()

    @property
    def relay(self) -> RelayProcess:
        """The latest life."""
        return self.lives[-1]

    @property
    def storage(self) -> Path:
        """The relay's storage directory."""
        return self.directory / "storage"

    def save(self, **sections: Any) -> None:
        """Write the file, as :func:`tests.app.files.config` makes it."""
        files.save(self.outfit.config, files.config(self.amocrm, **sections))

    def hold_socket(self) -> None:
        """Open the door for hooks as systemd does: it outlives every relay."""
        sock = bind("127.0.0.1", 0)
        self._stack.callback(sock.close)
        self.outfit.listening["listen"] = sock
        self.amocrm.sender.url = self._hook_url(f"http://{address(sock)}")

    async def begin(self) -> RelayProcess:
        """Start a relay, without waiting for it to be ready."""
        relay = RelayProcess()
        self.lives.append(relay)
        await relay.start(self._nursery, self.outfit)
        return relay

    async def start(self) -> RelayProcess:
        """Start a relay and wait until it is ready and connected to amoCRM."""
        relay = await self.begin()
        await relay.until_ready()
        if "listen" not in self.outfit.listening:
            self.amocrm.sender.url = self._hook_url(relay.hooks_url)
        return relay

    async def start_connected(self) -> RelayProcess:
        """Start a relay and wait until amoCRM has connected the channel."""
        relay = await self.start()
        await relay.until_logged("channel_connected")
        return relay

    async def admin(self, path: str) -> tuple[int, bytes]:
        """Ask the relay how it is."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.relay.admin_url + path) as answer,
        ):
            return answer.status, await answer.read()

    async def reply(self, client: str, text: str) -> Message:
        """A manager writes into the chat with a client (who has written before)."""
        return await self.amocrm.write(self.chat_of(client), OLGA, text)

    @staticmethod
    def chat_of(client: str, own: str = "74950000001") -> str:
        """Our id of the conversation with a client."""
        return f"wa-{own}-{client}"

    def texts_of(self, client: str) -> list[str]:
        """What amoCRM has of a client, in order."""
        chat = self.amocrm.account.chat_by_client_id.get(self.chat_of(client))
        if chat is None:
            return []
        messages = self.amocrm.account.messages
        return [m.text for m in messages if m.chat_id == chat.id and m.direction == "in"]

    async def until_in_amocrm(self, count: int, within_s: float = 60.0) -> None:
        """Back once amoCRM has that many messages of clients."""
        await self.amocrm.wait_for(
            lambda it: sum(m.direction == "in" for m in it.account.messages) >= count, within_s
        )

    def check_log(self) -> None:
        """No life of the relay has left a traceback, nor anything but JSON on its output."""
        for life in self.lives:
            assert life.errors == "", life.errors
            assert not [line for line in life.log if "exception" in line], life.log

    async def __aenter__(self) -> Site:
        stack = self._stack
        await stack.enter_async_context(self.amocrm)
        stack.callback(self.amocrm.on_change(self._count))
        await self.whatsapp.open()
        stack.push_async_callback(self.whatsapp.close)
        transport = await self.systemd.open(self.directory / "notify")
        stack.callback(transport.close)
        stack.push_async_callback(self._end)
        self.save()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def _count(self) -> None:
        """Every event at amoCRM counts; WhatsApp's are told along with them."""
        self.happened += 1
        self.whatsapp.changed()

    async def _end(self) -> None:
        await asyncio.gather(*(life.kill() for life in self.lives))

    @staticmethod
    def _hook_url(base: str) -> str:
        return f"{base}/amocrm/hook/:scope_id"


@asynccontextmanager
async def site(nursery: Nursery) -> AsyncIterator[Site]:
    """A site in a directory with a short name, for Unix sockets bear no long ones.

    In memory where there is such a place: a killed process loses nothing there either, and the
    tests need not wait for a disk that other work keeps busy.
    """
    with tempfile.TemporaryDirectory(prefix="relay-", dir=_MEMORY) as name:
        async with Site(nursery, Path(name)) as built:
            yield built
