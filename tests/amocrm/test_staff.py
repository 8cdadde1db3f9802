"""Who writes in amoCRM: users, robots, and those of whom nothing is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.errors import ForbiddenError, UnreachableError
from relay.amocrm.rest.users import User
from relay.amocrm.staff import EVERY_MS, LIMIT_S, MOST_ROBOTS, REST_MS, AccountStaff
from relay.delivery.ports import Staff
from relay.delivery.store import StoreRefusedError
from relay.domain.ids import CrmPersonId, UserId
from tests.clock import HandClock, settle

OLGA = User(UserId(17), "Olga", CrmPersonId("p-olga"), is_admin=True)
BORIS = User(UserId(18), "Boris", CrmPersonId("p-boris"), is_admin=False)
NEWCOMER = User(UserId(19), "Newcomer", None, is_admin=False)
ROBOT = CrmPersonId("p-robot")
STRANGER = CrmPersonId("p-stranger")


@dataclass
class Scene:
    """Staff among doubles: amoCRM's list (or its trouble), a memory, a hand clock."""

    users: list[User] | Exception = field(default_factory=lambda: [OLGA, BORIS, NEWCOMER])
    memory: str | None = None
    disk_full: bool = False
    confirmed: bool = True
    readings: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.clock = HandClock()
        self.alarm = CredentialsAlarm(self.clock)
        self.staff = AccountStaff(
            read=self.read,
            confirmed=lambda: self.confirmed,
            clock=self.clock,
            alarm=self.alarm,
            recall=self.recall,
            remember=self.remember,
        )

    async def read(self) -> list[User]:
        self.readings += 1
        users = self.users
        await self.gate.wait()
        if isinstance(users, Exception):
            raise users
        return users

    async def recall(self) -> str | None:
        return self.memory

    async def remember(self, known: str) -> None:
        if self.disk_full:
            raise StoreRefusedError("full")
        self.memory = known

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.staff.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def ask(self, *people: CrmPersonId) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.staff.refresh(person)) for person in people]


async def test_users_are_read_once_the_account_is_confirmed() -> None:
    """After waking, the users are known with their ids and the administrators among them."""
    scene = Scene()
    port: Staff = scene.staff
    async with scene.running():
        assert not port.knows(CrmPersonId("p-olga"))
        scene.staff.wake()
        await settle()
    assert port.user_of(CrmPersonId("p-olga")) == 17
    assert port.knows(CrmPersonId("p-boris"))
    assert [port.is_administrator(UserId(id_)) for id_ in (17, 18, 99)] == [True, False, False]


async def test_nothing_is_read_with_a_token_that_is_not_confirmed() -> None:
    """A token of another account must not teach us its people; whoever waits is told."""
    scene = Scene(confirmed=False)
    [task] = scene.ask(STRANGER)
    await scene.clock.advance_ms(REST_MS)
    assert task.done()
    assert (scene.readings, scene.staff.knows(STRANGER)) == (0, False)


async def test_a_message_during_the_start_waits_no_longer_than_the_start() -> None:
    """Users are read the moment the account is confirmed, not a minute later."""
    scene = Scene(confirmed=False)
    async with scene.running():
        [task] = scene.ask(ROBOT)
        await settle()
        assert not task.done()
        scene.confirmed = True
        scene.staff.wake()
        await settle()
        assert task.done()
        assert scene.staff.knows(ROBOT)


async def test_whoever_is_no_user_is_a_robot() -> None:
    """An unknown sender makes the list be read; not in it means robot, from then on for free."""
    scene = Scene()
    await scene.staff.refresh(ROBOT)
    assert scene.staff.knows(ROBOT)
    assert scene.staff.user_of(ROBOT) is None
    await scene.staff.refresh(ROBOT)
    assert scene.readings == 1


async def test_a_newcomer_is_found_on_a_miss() -> None:
    """A user who enters the chats after the last reading is found when he first writes."""
    scene = Scene()
    await scene.staff.refresh(ROBOT)
    person = CrmPersonId("p-newcomer")
    scene.users = [OLGA, BORIS, User(NEWCOMER.id, "Newcomer", person, is_admin=False)]
    [task] = scene.ask(person)
    await scene.clock.advance_ms(REST_MS)
    await task
    assert scene.staff.user_of(person) == 19


async def test_one_reading_a_minute_serves_all_who_wait() -> None:
    """However many strangers write, amoCRM is asked once a minute at most."""
    scene = Scene()
    await scene.staff.refresh(ROBOT)
    others = [CrmPersonId(f"p-{n}") for n in range(50)]
    tasks = scene.ask(*others)
    await scene.clock.advance_ms(REST_MS - 1)
    assert scene.readings == 1
    await scene.clock.advance_ms(1)
    await asyncio.gather(*tasks)
    assert scene.readings == 2
    assert all(scene.staff.knows(person) for person in others)


async def test_a_reading_under_way_says_nothing_of_who_comes_later() -> None:
    """Whoever is met during a reading may have been made a user just after it began."""
    scene = Scene()
    scene.gate.clear()
    [first] = scene.ask(ROBOT)
    await settle()
    [late] = scene.ask(STRANGER)
    await settle()
    scene.users = [OLGA, User(UserId(20), "Late", STRANGER, is_admin=False)]
    scene.gate.set()
    await settle()
    assert first.done()
    assert not scene.staff.knows(STRANGER)
    await scene.clock.advance_ms(REST_MS)
    await late
    assert scene.staff.user_of(STRANGER) == 20


async def test_a_reading_under_way_may_tell_who_somebody_is() -> None:
    """Who is found in it is not asked about again: his message goes on at once."""
    scene = Scene()
    async with scene.running():
        scene.gate.clear()
        scene.staff.wake()
        await settle()
        [task] = scene.ask(CrmPersonId("p-boris"))
        await settle()
        scene.gate.set()
        await settle()
        assert task.done()
    assert scene.staff.user_of(CrmPersonId("p-boris")) == 18
    assert scene.readings == 1


@pytest.mark.parametrize("trouble", [UnreachableError("down"), ForbiddenError("no rights")])
async def test_trouble_makes_nobody_a_robot(trouble: Exception) -> None:
    """While amoCRM cannot be asked, a stranger stays one; all who waited are told."""
    scene = Scene(users=trouble)
    tasks = scene.ask(STRANGER, ROBOT, CrmPersonId("p-olga"))
    await scene.clock.advance_ms(REST_MS)
    assert all(task.done() for task in tasks)
    assert not scene.staff.knows(STRANGER)
    assert scene.readings == 2


async def test_a_hanging_reading_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than the limit, and whoever comes after him is served."""
    assert LIMIT_S <= 120
    monkeypatch.setattr("relay.amocrm.staff.READING_S", 0.0)
    scene = Scene()
    scene.gate.clear()
    await scene.staff.refresh(STRANGER)
    assert not scene.staff.knows(STRANGER)


async def test_missing_rights_are_an_alarm_until_there_are_some() -> None:
    """Only an administrator's token reads the users: the operator must know."""
    scene = Scene(users=ForbiddenError("amoCRM answered 403"))
    await scene.staff.refresh(STRANGER)
    assert [refusal.credential for refusal in scene.alarm.standing] == [Credential.RIGHTS]
    scene.users = [OLGA]
    [task] = scene.ask(STRANGER)
    await scene.clock.advance_ms(REST_MS)
    await task
    assert not scene.alarm.standing


async def test_a_restart_remembers() -> None:
    """Users, administrators and robots are known before amoCRM is asked anything."""
    before = Scene()
    await before.staff.refresh(ROBOT)
    after = Scene(memory=before.memory)
    await after.staff.load()
    assert after.staff.user_of(CrmPersonId("p-olga")) == 17
    assert after.staff.is_administrator(UserId(17))
    assert after.staff.knows(ROBOT)
    assert after.readings == 0


@pytest.mark.parametrize("kept", ["", "nonsense", "[]", '{"users": 5}'])
async def test_a_memory_that_cannot_be_read_is_learned_anew(kept: str) -> None:
    """It is no reason not to start."""
    scene = Scene(memory=kept)
    with capture_logs() as logs:
        await scene.staff.load()
    assert [line["event"] for line in logs] == ["users_unknown"]
    await scene.staff.refresh(ROBOT)
    assert scene.staff.knows(CrmPersonId("p-olga"))


async def test_a_full_disk_is_told_and_changes_nothing() -> None:
    """What was learned acts, though a restart would not know it."""
    scene = Scene(disk_full=True)
    with capture_logs() as logs:
        await scene.staff.refresh(ROBOT)
    assert "users_not_remembered" in [line["event"] for line in logs]
    assert scene.staff.knows(ROBOT)


async def test_a_dismissed_user_is_no_robot() -> None:
    """A message of his must not pass by the rules for robots; his rights are gone."""
    scene = Scene()
    await scene.staff.refresh(ROBOT)
    scene.users = [BORIS]
    [task] = scene.ask(STRANGER)
    await scene.clock.advance_ms(REST_MS)
    await task
    assert scene.staff.user_of(CrmPersonId("p-olga")) == 17
    assert not scene.staff.is_administrator(UserId(17))


async def test_a_robot_that_turns_out_to_be_a_user_is_one() -> None:
    """Rights and people change without a word, so the list is read every hour."""
    scene = Scene()
    async with scene.running():
        scene.staff.wake()
        await settle()
        [task] = scene.ask(ROBOT)
        await scene.clock.advance_ms(REST_MS)
        await task
        scene.users = [OLGA, User(UserId(21), "Late", ROBOT, is_admin=False)]
        await scene.clock.advance_ms(EVERY_MS)
        assert scene.staff.user_of(ROBOT) == 21


async def test_robots_do_not_fill_the_memory() -> None:
    """Only the latest robots are kept in mind."""
    scene = Scene()
    people = [CrmPersonId(f"p-{n:05}") for n in range(MOST_ROBOTS + 10)]
    tasks = scene.ask(*people)
    await scene.clock.advance_ms(REST_MS)
    await asyncio.gather(*tasks)
    assert sum(scene.staff.knows(person) for person in people) == MOST_ROBOTS


async def test_no_name_is_logged() -> None:
    """The log counts people, it does not name them."""
    scene = Scene()
    with capture_logs() as logs:
        await scene.staff.refresh(ROBOT)
    assert logs == [{"event": "users_learned", "log_level": "info", "users": 3, "robots": 1}]
