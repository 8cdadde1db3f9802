"""Puts the parts together: a server that a test opens, uses and closes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from aiohttp import web

from tests.whatsapp_server.connection import Connection
from tests.whatsapp_server.contact import Contact
from tests.whatsapp_server.group import Group
from tests.whatsapp_server.harness import RealClient
from tests.whatsapp_server.keys import KeyPair
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.media import MediaHost
from tests.whatsapp_server.noise import Identity
from tests.whatsapp_server.paired import known, recall, remember
from tests.whatsapp_server.pairing import Registration
from tests.whatsapp_server.person import Person
from tests.whatsapp_server.phone import Phone
from tests.whatsapp_server.proxy import LOOPBACK, Proxy
from tests.whatsapp_server.service import Service
from tests.whatsapp_server.tls import create_authority

_HOOK = Path(__file__).parent / "hook"
_ROOT_VARIABLE = "RELAY_TEST_WHATSAPP_ROOT"
_STRAYS_VARIABLE = "RELAY_TEST_STRAYS"
_PROXY_VARIABLES = ("NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class WhatsAppServer:
    """The service, its phones and contacts on loopback; an async context manager.

    Leaving the context without an error raises ``AssertionError`` if a client asked anything that
    this server cannot answer, wanted any other host, or said what the server cannot read.
    """

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="whatsapp-server-")
        self._root = KeyPair.generate()
        self._authority = create_authority(Path(self._directory.name))
        self._strays_file = Path(self._directory.name) / "strays"
        self._proxy = Proxy()
        self._runner: web.AppRunner | None = None
        self._next_group = 120_363_000_000_000_001
        self.service = Service(Identity.under(self._root))

    async def __aenter__(self) -> WhatsAppServer:
        app = web.Application()
        app.router.add_get("/ws/chat", self._chat)
        self.service.media.add_routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, 0, ssl_context=self._authority.server)
        await site.start()
        await self._proxy.start(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.service.drop_all()
        await self._proxy.close()
        if self._runner:
            await self._runner.cleanup()
        try:
            if error is None:
                self.check()
            else:
                error.add_note(self._troubles())
        finally:
            self._directory.cleanup()

    async def _chat(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        await self.service.serve(Connection(socket, request))
        return socket

    # What a test says

    def phone(self, number: str, name: str = "Owner") -> Phone:
        """An owner's phone with a new account; ``number`` is digits with the country code."""
        phone = Phone(number, _lid(number), name, self.service.registrations)
        self.service.directory.add(phone)
        return phone

    def contact(self, number: str, name: str = "Client") -> Contact:
        """Somebody with WhatsApp on a phone."""
        contact = Contact(number, _lid(number), name)
        self.service.directory.add(contact)
        return contact

    def group(self, subject: str, *members: Person) -> Group:
        """A group of these people."""
        self._next_group += 1
        group = Group(str(self._next_group), subject, members)
        self.service.directory.groups[group.jid] = group
        return group

    @property
    def media(self) -> MediaHost:
        """The host of encrypted files."""
        return self.service.media

    def refuse_registrations(self, reason: int | None) -> None:
        """Answers clients that want to be linked with ``<failure reason=…>``; ``None`` ends it."""
        refusal = None if reason is None else {"reason": str(reason)}
        self.service.refuse_registrations = refusal

    def set_clock(self, ahead_s: int) -> None:
        """Lets the service's clock, and so its certificates, be that much before the clients'."""
        self.service.identity = Identity.under(self._root, ahead_s=ahead_s)

    def go_down(self) -> None:
        """Cuts every line and lets nobody in until ``come_back``: as if there were no network."""
        self._proxy.accepting = False
        self.service.drop_all()

    def come_back(self) -> None:
        """Lets clients in again."""
        self._proxy.accepting = True

    async def registration(self) -> Registration:
        """Waits for the next client that asks to be linked."""
        return await self.service.registered.take(what="a client that asks to be linked")

    def session(self, phone: Phone) -> LinkedDevice:
        """The one linked device of a phone."""
        (device,) = phone.linked_devices()
        return device

    def environment(self, base: dict[str, str] | None = None) -> dict[str, str]:
        """The variables with which a client process must be started (Go reads them only then)."""
        env = dict(os.environ if base is None else base)
        for name in _PROXY_VARIABLES:
            env.pop(name, None)
            env.pop(name.lower(), None)
        paths = [str(_HOOK), *filter(None, [env.get("PYTHONPATH")])]
        return env | {
            "HTTPS_PROXY": self._proxy.url,
            "SSL_CERT_FILE": str(self._authority.certificate),
            "PYTHONPATH": os.pathsep.join(paths),
            _ROOT_VARIABLE: self._root.public.hex(),
            _STRAYS_VARIABLE: str(self._strays_file),
            "NEONIZE_BOT_TAG": "off",
        }

    async def pair_store(self, path: Path, phone: Phone) -> LinkedDevice:
        """Leaves a paired store in the file ``path``, made by a real client that has ended.

        The first pairing of a number in a run is real; later ones restore a copy of its outcome.
        """
        if paired := recall(phone):
            return paired.restore(path, phone)
        async with RealClient(self.environment(), path) as client:
            device = await phone.scan(await client.qr())
            await client.connected()
            await device.online()
            await client.command("stop")
        await device.offline()
        device.logins = 0  # as on one that is restored: a test is to count the same, first or not
        remember(path, phone, device)
        return device

    async def pair_stores(self, stores: Mapping[Path, Phone]) -> None:
        """As ``pair_store`` for many, two processes at a time."""
        turns = asyncio.Semaphore(2)

        async def pair(path: Path, phone: Phone) -> None:
            async with turns:
                await self.pair_store(path, phone)

        async with asyncio.TaskGroup() as group:
            for path, phone in stores.items():
                group.create_task(pair(path, phone), name=f"pairing {phone.number}")

    def clone_store(self, path: Path, phone: Phone, of: Phone) -> LinkedDevice:
        """Leaves a copy of ``of``'s paired store in ``path``, renamed to ``phone``'s account.

        For load: many stores for the price of one pairing. They share their keys, which no client
        notices. Raises ``KeyError`` if ``of`` was not paired by ``pair_store`` in this run.
        """
        return known(of.number).restore(path, phone)

    # What went wrong

    @property
    def unanswered(self) -> list[str]:
        """Requests of clients that this server does not know."""
        return self.service.answers.unanswered

    @property
    def refused(self) -> list[str]:
        """Requests for hosts that are not the service's."""
        return self._proxy.refused

    @property
    def strays(self) -> list[str]:
        """What Python in a client process tried to reach beyond this machine; it was kept back."""
        return self._strays_file.read_text().splitlines() if self._strays_file.exists() else []

    def forgive_strays(self) -> None:
        """Forgets what was tried until now, for the test that tries it on purpose."""
        self._strays_file.unlink(missing_ok=True)

    @property
    def faults(self) -> list[str]:
        """What clients said that this server could not read."""
        return self.service.faults + self.service.router.lost + self.service.media.faults

    def _troubles(self) -> str:
        """What a failed test may have failed of."""
        return (
            f"The WhatsApp server: unanswered {self.unanswered}, refused {self.refused}, "
            f"strays {self.strays}, faults {self.faults}"
        )

    def check(self) -> None:
        """Raises ``AssertionError`` unless everything was answered, allowed and understood."""
        assert not self.unanswered, f"unanswered: {self.unanswered}"
        assert not self.refused, f"refused by the proxy: {self.refused}"
        assert not self.strays, f"connections beyond this machine: {self.strays}"
        assert not self.faults, f"not understood: {self.faults}"


def _lid(number: str) -> str:
    """A hidden id: 15 digits that look like nothing, always the same for a number."""
    digest = hashlib.sha256(number.encode()).digest()
    return str(10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14))
