"""Keeps the chat channel connected: learns the account, connects at start and when told to.

The account's id is remembered across restarts, so with amoCRM out of reach hooks are still
recognised and messages still addressed: the scope id is made of what is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, Protocol

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import OtherAccountError, RefusedError, UnreachableError
from relay.amocrm.protocol import scope_of
from relay.amocrm.rest.account import Account
from relay.delivery.ports import Clock
from relay.delivery.store import StoreRefusedError
from relay.domain.retry import SECOND

LONGEST_PAUSE_S: Final = 300
"""The ceiling of the pause between two attempts to connect."""

SHORTEST_PAUSE_MS: Final = 2 * SECOND
"""Between two connects, however many messages find the channel unknown."""

_log = structlog.get_logger()

_TROUBLE: Final = (RefusedError, UnreachableError, StoreRefusedError)


class Connector(Protocol):
    """Makes the connection: the chats client."""

    async def connect(self, account_amojo_id: str) -> str:
        """The scope id."""
        ...


class AccountSource(Protocol):
    """Tells which account is ours: the account reader."""

    async def read(self) -> Account:
        """The account."""
        ...


class Connection:
    """The channel's connection to the account. One task runs it; only that task connects."""

    def __init__(
        self,
        *,
        chats: Connector,
        accounts: AccountSource,
        credentials: CredentialsHolder,
        clock: Clock,
        alarm: CredentialsAlarm,
        recall: Callable[[], Awaitable[str | None]],
        remember: Callable[[str], Awaitable[None]],
        grant: Callable[[], str],
    ) -> None:
        self._chats = chats
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock
        self._alarm = alarm
        self._recall = recall
        self._remember = remember
        self._grant = grant
        self._wish = asyncio.Event()
        self._amojo_id: str | None = None
        self._told: tuple[str, str] | None = None  # the channel id it is for, the scope id
        self._confirmed_by: str | None = None  # the grant whose token told the account
        self.account: Account | None = None
        """The account, once amoCRM has told it."""

    @property
    def scope_id(self) -> str | None:
        """The scope of our channel in our account; None until the account is known."""
        channel_id = self._credentials.current.channel_id
        if self._told is not None and self._told[0] == channel_id:
            return self._told[1]
        return None if self._amojo_id is None else scope_of(channel_id, self._amojo_id)

    @property
    def confirmed(self) -> bool:
        """Whether the token in force has proved to open our account, so that it may be written to.

        A token of another account would be refused here, but amoCRM itself knows no wrong ones.
        """
        return self.account is not None and self._grant() == self._confirmed_by

    def reconnect(self) -> None:
        """Ask for a new connect; asking again while one is wished for changes nothing.

        For whoever finds the channel unknown, and after a change of credentials.
        """
        self._wish.set()

    async def load(self) -> None:
        """Recall the account, so that the scope is known before amoCRM is asked.

        Raises:
            StoreRefusedError: the store could not be read.
        """
        self._amojo_id = await self._recall()

    async def run(self) -> None:
        """Connect, again and again until it holds; then each time it is asked for. Never returns.

        Raises:
            OtherAccountError: the token opens another account than the one remembered.
        """
        if self._amojo_id is None:
            await self.load()
        while True:
            await self._insist()
            await self._clock.sleep_ms(SHORTEST_PAUSE_MS)
            await self._wish.wait()

    async def _insist(self) -> None:
        """Try for ever, with growing pauses: there is nothing else this process is for."""
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(_TROUBLE),
            wait=wait_random_exponential(max=LONGEST_PAUSE_S),
            sleep=self._pause,
        )
        await attempts(self._once)

    async def _once(self) -> None:
        """Confirm the account unless the token in force has done so already, and connect.

        With an account remembered the connect does not wait for its confirmation, which is
        insisted upon all the same.
        """
        self._wish.clear()
        try:
            amojo_id = await self._confirmed()
        except _TROUBLE as error:
            _log.warning("account_unknown", error=str(error), remembered=self._amojo_id is not None)
            if self._amojo_id is None:
                raise
            await self._connect(self._amojo_id)
            raise
        await self._connect(amojo_id)

    async def _confirmed(self) -> str:
        grant = self._grant()
        if self.account is not None and grant == self._confirmed_by:
            return self.account.amojo_id
        account = await self._accounts.read()
        if self._amojo_id is not None and self._amojo_id != account.amojo_id:
            self._refuse(account)
        await self._remember(account.amojo_id)
        self._amojo_id, self.account, self._confirmed_by = account.amojo_id, account, grant
        return account.amojo_id

    def _refuse(self, stranger: Account) -> NoReturn:
        """At start this ends the process; a token put in force later is only refused."""
        reason = (
            f"the token opens the account {stranger.subdomain} ({stranger.amojo_id}), but the "
            f"messages kept here belong to the account {self._amojo_id}"
        )
        if self.account is None:
            raise OtherAccountError(reason)
        self._alarm.refused(Credential.TOKEN, reason)
        raise RefusedError(reason)

    async def _connect(self, amojo_id: str) -> None:
        channel_id = self._credentials.current.channel_id
        try:
            scope_id = await self._chats.connect(amojo_id)
        except (RefusedError, UnreachableError) as error:
            _log.warning("channel_not_connected", error=str(error))
            raise
        self._told = (channel_id, scope_id)
        _log.info("channel_connected", scope_id=scope_id)

    async def _pause(self, seconds: float) -> None:
        """Wait that long, or less if a connect is asked for, but never less than the shortest."""
        await self._clock.sleep_ms(SHORTEST_PAUSE_MS)
        rest_ms = round(seconds * SECOND) - SHORTEST_PAUSE_MS
        if rest_ms > 0:
            await self._clock.wait_ms(self._wish, rest_ms)
