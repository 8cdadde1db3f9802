"""What must be known before anybody can be asked: kept in the ledger across restarts."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from relay.delivery.store import Store, StoreRefusedError
from relay.domain.ids import ChannelId, OwnNumber

_log = structlog.stdlib.get_logger("relay")

_ACCOUNT = "amojo_id"
_ACCOUNT_NUMBER = "account_number"
_OWN = "own/"
_STAFF = "staff"


class Facts:
    """Remembers the account's id, its users, and the channels' own numbers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def account(self) -> str | None:
        """The account's id in the chats API."""
        return await self._store.query(lambda ledger: ledger.fact(_ACCOUNT))

    async def remember_account(self, amojo_id: str) -> None:
        """Remember the account's id."""
        await self._store.transact(lambda ledger: ledger.set_fact(_ACCOUNT, amojo_id))

    async def account_number(self) -> int | None:
        """AmoCRM's number of the account."""
        kept = await self._store.query(lambda ledger: ledger.fact(_ACCOUNT_NUMBER))
        return None if kept is None else int(kept)

    async def remember_account_number(self, number: int) -> bool:
        """Remember it; False if the disk refused."""
        try:
            await self._store.transact(lambda ledger: ledger.set_fact(_ACCOUNT_NUMBER, str(number)))
        except StoreRefusedError as error:
            _log.warning("account_not_remembered", error=str(error))
            return False
        return True

    async def staff(self) -> str | None:
        """The account's users and robots, as :mod:`relay.amocrm.staff` wrote them down."""
        return await self._store.query(lambda ledger: ledger.fact(_STAFF))

    async def remember_staff(self, known: str) -> None:
        """Remember the account's users and robots."""
        await self._store.transact(lambda ledger: ledger.set_fact(_STAFF, known))

    async def own_numbers(self, channels: Iterable[ChannelId]) -> dict[ChannelId, OwnNumber]:
        """The numbers of those channels that ever told theirs."""
        found = await self._store.query(
            lambda ledger: {id_: ledger.fact(_OWN + id_) for id_ in channels}
        )
        return {id_: OwnNumber(own) for id_, own in found.items() if own is not None}

    async def remember_own(self, channel: ChannelId, own: OwnNumber) -> None:
        """Remember a channel's number; a disk that refuses is asked again at the next start."""
        try:
            await self._store.transact(lambda ledger: ledger.set_fact(_OWN + channel, own))
        except StoreRefusedError as error:
            _log.warning("number_not_remembered", channel=channel, error=str(error))
