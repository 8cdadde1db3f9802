"""Who writes in amoCRM: the account's users, told from robots. Implements the port ``Staff``.

What was learned is remembered across restarts, so that amoCRM need not be asked before a message
can be judged. A user who is dismissed stays known as the one he was: a message of his must not
pass for a robot's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Final

import structlog

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.errors import AmoCrmError, ForbiddenError
from relay.amocrm.rest.users import User
from relay.delivery.forms import read_form
from relay.delivery.ports import Clock
from relay.delivery.store import StoreRefusedError
from relay.domain.ids import CrmPersonId, UserId
from relay.domain.retry import HOUR, MINUTE
from relay.domain.values import value

REST_MS: Final = MINUTE
"""Between two readings, however many strangers write."""

EVERY_MS: Final = HOUR
"""Between two readings when nobody asks: rights change without a word."""

READING_S: Final = 50.0
"""A reading that takes longer is given up."""

LIMIT_S: Final = 120.0
"""Nobody waits longer for an answer: the rest of a minute, and a reading."""

MOST_ROBOTS: Final = 1_000
"""So many robots are kept in mind; an account has a few."""

_log = structlog.get_logger()


@value
class _Memory:
    """What is remembered. ``users`` by their id in the chats."""

    users: dict[CrmPersonId, UserId] = field(default_factory=dict)
    names: dict[UserId, str] = field(default_factory=dict)
    administrators: frozenset[UserId] = frozenset()
    robots: list[CrmPersonId] = field(default_factory=list)


@value
class _Kept:
    """The same as JSON has it."""

    users: dict[CrmPersonId, UserId]
    names: dict[str, str]
    administrators: list[UserId]
    robots: list[CrmPersonId]


class AccountStaff:
    """The users of the account; one task runs it."""

    def __init__(
        self,
        *,
        read: Callable[[], Awaitable[list[User]]],
        confirmed: Callable[[], bool],
        clock: Clock,
        alarm: CredentialsAlarm,
        recall: Callable[[], Awaitable[str | None]],
        remember: Callable[[str], Awaitable[None]],
    ) -> None:
        self._read = read
        self._confirmed = confirmed
        self._clock = clock
        self._alarm = alarm
        self._recall = recall
        self._remember = remember
        self._known, self._robots = _Memory(), frozenset[CrmPersonId]()
        self._line = asyncio.Lock()
        self._wish = asyncio.Event()
        self._ready = asyncio.Event()
        self._strangers: set[CrmPersonId] = set()
        self._begun = 0  # readings
        self._next_ms = clock.now_ms()

    def user_of(self, person: CrmPersonId) -> UserId | None:
        """The user; None for a robot, and for somebody of whom nothing is known yet."""
        return self._known.users.get(person)

    def knows(self, person: CrmPersonId) -> bool:
        """Whether it is certain who that is: a user, or surely none."""
        return person in self._known.users or person in self._robots

    def is_administrator(self, user: UserId) -> bool:
        """Whether the account's rights make him one."""
        return user in self._known.administrators

    def wake(self) -> None:
        """Read the users soon: the account has just been confirmed, or its token changed."""
        self._wish.set()
        self._ready.set()

    def names(self) -> Mapping[UserId, str]:
        """The names of the account's present users, in amoCRM's order."""
        return self._known.names

    async def refresh(self, person: CrmPersonId) -> None:
        """Ask amoCRM who that is; back once it has answered or failed to, within two minutes.

        Whoever is in no reading that began after he was met is a robot.
        """
        if self.knows(person):
            return
        seen = self._begun
        self._strangers.add(person)
        try:
            async with asyncio.timeout(LIMIT_S), self._line:
                if self._begun == seen and not self.knows(person):
                    await self._look()
        except TimeoutError:
            _log.warning("users_unknown", error=f"no answer within {LIMIT_S:g} s")
        finally:
            self._strangers.discard(person)

    async def load(self) -> None:
        """Recall what was known; what cannot be read any more is learned anew.

        Raises:
            StoreRefusedError: the store could not be read.
        """
        kept = await self._recall()
        if kept is not None:
            try:
                self._take(_recalled(kept))
            except ValueError:
                _log.warning("users_unknown", error="what was remembered cannot be read")

    async def run(self) -> None:
        """Keep the list fresh for ever."""
        while True:
            await self._clock.wait_ms(self._wish, EVERY_MS)
            self._wish.clear()
            async with self._line:
                await self._look()

    async def _look(self) -> None:
        """One reading, a minute after the last at the earliest; a failure is told."""
        wait_ms = min(self._next_ms - self._clock.now_ms(), REST_MS)
        if wait_ms > 0:
            await self._clock.sleep_ms(wait_ms)
        if not self._confirmed():  # it may be about to be: a relay has just started, perhaps
            self._ready.clear()
            await self._clock.wait_ms(self._ready, REST_MS)
        self._next_ms = self._clock.now_ms() + REST_MS
        self._begun += 1
        strangers = set(self._strangers)
        if not self._confirmed():
            _log.warning("users_unknown", error="amoCRM has not confirmed the account yet")
            return
        try:
            async with asyncio.timeout(READING_S):
                users = await self._read()
        except ForbiddenError as error:
            self._alarm.refused(Credential.RIGHTS, f"users cannot be read: {error}")
        except AmoCrmError as error:
            _log.warning("users_unknown", error=str(error))
        except TimeoutError:
            _log.warning("users_unknown", error=f"no answer within {READING_S:g} s")
        else:
            self._alarm.accepted(Credential.RIGHTS)
            await self._learn(users, strangers)

    async def _learn(self, users: list[User], strangers: set[CrmPersonId]) -> None:
        known = self._known.users | {user.person: user.id for user in users if user.person}
        robots = dict.fromkeys((*self._known.robots, *sorted(strangers)))
        learned = _Memory(
            users=known,
            names={user.id: user.name for user in users},
            administrators=frozenset(user.id for user in users if user.is_admin),
            robots=[robot for robot in robots if robot not in known][-MOST_ROBOTS:],
        )
        if learned == self._known:
            return
        self._take(learned)
        _log.info("users_learned", users=len(users), robots=len(learned.robots))
        try:
            await self._remember(_kept(learned))
        except StoreRefusedError as error:
            _log.warning("users_not_remembered", error=str(error))

    def _take(self, known: _Memory) -> None:
        self._known, self._robots = known, frozenset(known.robots)


def _kept(memory: _Memory) -> str:
    """As JSON, where a key is text and a set a list."""
    form = {
        "users": memory.users,
        "names": {str(user): name for user, name in memory.names.items()},
        "administrators": sorted(memory.administrators),
        "robots": memory.robots,
    }
    return json.dumps(form, ensure_ascii=False)


def _recalled(kept: str) -> _Memory:
    """The memory again.

    Raises:
        ValueError: it cannot be read.
    """
    form: _Kept = read_form(_Kept, kept)
    return _Memory(
        form.users,
        {UserId(int(user)): name for user, name in form.names.items()},
        frozenset(form.administrators),
        form.robots,
    )
