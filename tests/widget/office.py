"""A widget's side of the relay on a real socket, and an account's page that calls it."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import aiohttp

from relay.delivery.phones import Line, Phones
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.settings import Language
from relay.web.server import Server, address, bind
from relay.widget.gate import Access, Gate, Method
from relay.widget.phones import PhoneDesk
from relay.widget.tokens import HEADER
from tests.clock import HandClock
from tests.delivery.memory_store import MemoryStore
from tests.delivery.test_phones import SALES, AskedEngine
from tests.widget.test_tokens import INTEGRATION, made

ORIGIN = INTEGRATION.issuer

ACCESS = Access(INTEGRATION, ORIGIN, Language.RU)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Why it was refused."""
        assert self.headers["Content-Type"] == "application/problem+json"
        said = self.json
        assert said["status"] == self.status
        assert said["title"]
        return str(said["code"])


@dataclass
class Office:
    """What the gate stands before, changeable at run time."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: HandClock = field(default_factory=HandClock)
    engine: AskedEngine = field(default_factory=AskedEngine)
    connected: bool = True
    phone_check: bool = True
    access: Access = ACCESS
    url: str = ""
    session: aiohttp.ClientSession | None = None
    more: Sequence[Callable[[Office], Sequence[Method]]] = ()
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.phones = Phones(self.store, self.clock, self._lines)

    def _lines(self) -> Mapping[ChannelId, Line]:
        return {SALES: Line(self.engine, self.connected, OwnNumber("74950000001"))}

    def speak(self, language: Language) -> None:
        self.access = replace(self.access, language=language)

    def token(self, user: int = 456, **claims: object) -> str:
        """A fresh token, as amoCRM gives one for each call."""
        now = self.clock.now_ms() // 1000
        times = {"iat": now, "nbf": now, "exp": now + 1800}
        return made(**{"jti": f"t-{next(self._ids)}", "user_id": user} | times | claims)

    async def call(
        self,
        method: str,
        path: str,
        data: object = None,
        *,
        token: str | None = None,
        user: int = 456,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call of a page's, with a fresh token unless one is given."""
        assert self.session is not None
        sent = {"Origin": ORIGIN, HEADER: self.token(user) if token is None else token}
        plain = data is None or isinstance(data, bytes | BytesIO)
        body: Any = data if plain else json.dumps(data).encode()
        async with self.session.request(
            method, self.url + path, data=body, headers=sent | dict(headers or {})
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())


@asynccontextmanager
async def office_of(
    office: Office | None = None, *methods: Callable[[Office], Sequence[Method]]
) -> AsyncIterator[Office]:
    """An office at work; ``methods`` make further desks."""
    office = office or Office()
    gate = Gate(office.store, office.clock, lambda: office.access)
    desk = PhoneDesk(office.phones, office.clock, lambda: office.phone_check)
    found = [*desk.methods()]
    for make in methods:
        found += make(office)
    sock = bind("127.0.0.1", 0)
    office.url = f"http://{address(sock)}"
    async with (
        Server(sock, gate.routes(found)),
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
    ):
        office.session = session
        yield office
