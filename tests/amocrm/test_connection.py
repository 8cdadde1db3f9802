"""How the channel gets and stays connected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.connection import LONGEST_PAUSE_S, SHORTEST_PAUSE_MS, Connection
from relay.amocrm.credentials import Credentials, CredentialsHolder
from relay.amocrm.errors import OtherAccountError, RefusedError, UnreachableError
from relay.amocrm.rest.account import Account
from relay.delivery.store import StoreRefusedError
from tests.amocrm.doubles import ACCOUNT, CHANNEL, SCOPE, HandClock, credentials

OTHER = "ffffffff-bbbb-4ccc-8ddd-eeeeeeeeeeee"


@dataclass
class FakeCrm:
    """amoCRM's answers to both questions: each a value, or an error to raise."""

    account: Account | Exception = field(default_factory=lambda: Account(1, ACCOUNT, "demo", "D"))
    scope: str | Exception = SCOPE
    asked: list[str] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> Account:
        self.asked.append("account")
        if isinstance(self.account, Exception):
            raise self.account
        return self.account

    async def connect(self, account_amojo_id: str) -> str:
        self.asked.append(account_amojo_id)
        self.answered.set()
        if isinstance(self.scope, Exception):
            raise self.scope
        return self.scope


@dataclass
class Memory:
    """The fact that outlives the process."""

    account: str | None = None
    trouble: Exception | None = None

    async def recall(self) -> str | None:
        return self.account

    async def remember(self, account: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.account = account


class Scene:
    """A connection among its doubles."""

    def __init__(self, memory: str | None = None) -> None:
        self.crm = FakeCrm()
        self.memory = Memory(memory)
        self.clock = HandClock()
        self.alarm = CredentialsAlarm(self.clock)
        self.held = CredentialsHolder(credentials())
        self.connection = Connection(
            chats=self.crm,
            accounts=self.crm,
            credentials=self.held,
            clock=self.clock,
            alarm=self.alarm,
            recall=self.memory.recall,
            remember=self.memory.remember,
            grant=lambda: self.held.current.token,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.connection.run())
        try:
            yield
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def rest(self) -> None:
        """Until the connection pauses."""
        await self.clock.until_asleep()

    async def next_attempt(self) -> None:
        """Let the pause in hand pass, and wait for the next one."""
        self.crm.asked.clear()
        while not self.crm.asked:
            self.clock.advance(await self.clock.until_asleep())
            await asyncio.sleep(0)
        await self.rest()


async def test_first_start() -> None:
    """The account is learned, remembered and connected; the scope is the one amoCRM names."""
    scene = Scene()
    scene.crm.scope = f"{CHANNEL}_named"
    async with scene.running():
        await scene.rest()
        assert scene.crm.asked == ["account", ACCOUNT]
        assert scene.connection.scope_id == f"{CHANNEL}_named"
        assert scene.memory.account == ACCOUNT
        assert scene.connection.account == Account(1, ACCOUNT, "demo", "D")


async def test_remembered_account_needs_no_crm() -> None:
    """After a restart with amoCRM out of reach the scope is known at once."""
    scene = Scene(memory=ACCOUNT)
    await scene.connection.load()
    assert scene.connection.scope_id == SCOPE


async def test_account_unreachable_at_first_start() -> None:
    """Without the account nothing can be connected: it is asked for again and again."""
    scene = Scene()
    scene.crm.account = UnreachableError("down")
    async with scene.running():
        await scene.rest()
        assert scene.crm.asked == ["account"]
        assert not scene.connection.scope_id
        await scene.next_attempt()
        assert scene.crm.asked == ["account"]
        scene.crm.account = Account(1, ACCOUNT, "demo", "D")
        await scene.next_attempt()
        assert scene.crm.asked == ["account", ACCOUNT]
        assert scene.connection.scope_id == SCOPE


async def test_remembered_account_is_connected_unconfirmed() -> None:
    """With the token refused the remembered account is connected, and asked for further."""
    scene = Scene(memory=ACCOUNT)
    scene.crm.account = RefusedError("401")
    async with scene.running():
        await scene.rest()
        assert scene.crm.asked == ["account", ACCOUNT]
        assert scene.connection.scope_id == SCOPE
        scene.crm.account = Account(1, ACCOUNT, "demo", "D")
        await scene.next_attempt()
        assert scene.crm.asked == ["account", ACCOUNT]
        assert scene.connection.account is not None


async def test_connect_is_insisted_upon() -> None:
    """A connect that fails is tried again, without asking for the account again."""
    scene = Scene()
    scene.crm.scope = RefusedError("403")
    async with scene.running():
        await scene.rest()
        await scene.next_attempt()
        assert scene.crm.asked == [ACCOUNT]
        assert scene.connection.scope_id == SCOPE  # made of what is known


async def test_pauses_have_a_ceiling() -> None:
    """However long it fails, the pause never exceeds the ceiling nor falls below the floor."""
    scene = Scene()
    scene.crm.account = UnreachableError("down")
    async with scene.running():
        for _ in range(20):
            await scene.rest()
            before_ms = scene.clock.now_ms()
            await scene.next_attempt()
            waited_ms = scene.clock.now_ms() - before_ms
            assert SHORTEST_PAUSE_MS <= waited_ms <= LONGEST_PAUSE_S * 1000


async def test_wish_reconnects_once() -> None:
    """Many wishes for a new connect make one."""
    scene = Scene()
    async with scene.running():
        await scene.rest()
        for _ in range(50):
            scene.connection.reconnect()
        await scene.next_attempt()
        assert scene.crm.asked == [ACCOUNT]
        scene.crm.asked.clear()
        scene.clock.advance(10 * SHORTEST_PAUSE_MS)
        for _ in range(5):
            await asyncio.sleep(0)
        assert scene.crm.asked == []


async def test_wish_during_the_pause_shortens_it() -> None:
    """After new credentials nobody waits for minutes: the floor alone is kept."""
    scene = Scene()
    scene.crm.account = UnreachableError("down")
    async with scene.running():
        await scene.rest()
        scene.connection.reconnect()
        scene.crm.asked.clear()
        scene.crm.account = Account(1, ACCOUNT, "demo", "D")
        scene.clock.advance(SHORTEST_PAUSE_MS)
        await scene.crm.answered.wait()
        assert scene.crm.asked == ["account", ACCOUNT]


async def test_other_account_stops_the_start() -> None:
    """A token for another account than the one remembered ends the run, and changes nothing."""
    scene = Scene(memory=ACCOUNT)
    scene.crm.account = Account(2, OTHER, "stranger", "S")
    with pytest.raises(OtherAccountError, match="stranger"):
        await scene.connection.run()
    assert scene.memory.account == ACCOUNT
    assert scene.crm.asked == ["account"]


async def test_new_token_is_confirmed() -> None:
    """A token put in force later is asked which account it opens."""
    scene = Scene()
    async with scene.running():
        await scene.rest()
        scene.held.current = credentials(token="new")
        scene.connection.reconnect()
        await scene.next_attempt()
        assert scene.crm.asked == ["account", ACCOUNT]


async def test_new_token_of_another_account_is_an_alarm() -> None:
    """A running relay does not die of a wrong token: it raises the alarm and keeps its account."""
    scene = Scene()
    async with scene.running():
        await scene.rest()
        scene.held.current = credentials(token="new")
        scene.crm.account = Account(2, OTHER, "stranger", "S")
        scene.connection.reconnect()
        await scene.next_attempt()
        assert [refusal.credential for refusal in scene.alarm.standing] == [Credential.TOKEN]
        assert scene.memory.account == ACCOUNT
        assert scene.connection.scope_id == SCOPE
        assert not scene.connection.confirmed


async def test_new_channel_has_a_new_scope() -> None:
    """A channel id put in force later makes the scope at once; the old answer does not count."""
    scene = Scene()
    async with scene.running():
        await scene.rest()
        scene.held.current = Credentials("another-channel", "s", "t")
        assert scene.connection.scope_id == f"another-channel_{ACCOUNT}"


async def test_account_that_cannot_be_remembered_is_not_known() -> None:
    """If the disk refuses the fact, it is tried again rather than half known."""
    scene = Scene()
    scene.memory.trouble = StoreRefusedError("full")
    async with scene.running():
        await scene.rest()
        assert scene.connection.scope_id is None
        scene.memory.trouble = None
        await scene.next_attempt()
        assert scene.connection.scope_id == SCOPE


async def test_trouble_is_logged_without_secrets() -> None:
    """Each failure leaves one line, with its reason and nothing secret."""
    scene = Scene(memory=ACCOUNT)
    scene.crm.account = UnreachableError("down")
    scene.crm.scope = UnreachableError("down too")
    with capture_logs() as logs:
        async with scene.running():
            await scene.rest()
    assert [log["event"] for log in logs] == ["account_unknown", "channel_not_connected"]
    assert "token-of" not in str(logs)
