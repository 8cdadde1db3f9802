"""A REST client in front of a real server, with time that passes only where somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from relay.amocrm.alarm import CredentialsAlarm
from relay.amocrm.client import open_session
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.rest.client import RestClient
from relay.amocrm.rest.tokens import LongLivedToken, Tokens
from tests.amocrm.doubles import DATE_MS, holder


@dataclass
class QuickClock:
    """Whoever waits finds that the time has passed; ``slept`` are the waits in milliseconds."""

    ms: int = DATE_MS
    slept: list[int] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, duration_ms: int) -> None:
        self.slept.append(duration_ms)
        self.ms += duration_ms
        await asyncio.sleep(0)

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        if not event.is_set():
            await self.sleep_ms(at_most_ms)


@dataclass
class Rig:
    """The client and what is around it."""

    rest: RestClient
    alarm: CredentialsAlarm
    clock: QuickClock
    held: CredentialsHolder


@asynccontextmanager
async def rig_of(
    url: str, held: CredentialsHolder | None = None, tokens: Tokens | None = None
) -> AsyncIterator[Rig]:
    held = held or holder()
    clock = QuickClock()
    alarm = CredentialsAlarm(clock)
    async with open_session() as session:
        rest = RestClient(session, url, tokens or LongLivedToken(held), clock, alarm, timeout_s=5)
        yield Rig(rest, alarm, clock, held)
