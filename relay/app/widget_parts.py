"""The parts that answer the widget's calls, built and joined but not started."""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from relay.amocrm.connection import Connection
from relay.app.facts import Facts
from relay.app.live import Live
from relay.delivery.ledger import Store
from relay.delivery.phones import Phones
from relay.delivery.ports import Clock
from relay.widget.gate import Access, Gate
from relay.widget.phones import PhoneDesk
from relay.widget.tokens import Integration


class AccountNumber:
    """amoCRM's number of the account: as it has told, else as it did in an earlier life."""

    def __init__(self, connection: Connection, facts: Facts) -> None:
        self._connection = connection
        self._facts = facts
        self._remembered: int | None = None

    @property
    def now(self) -> int | None:
        """The number; None if amoCRM has never told it."""
        account = self._connection.account
        return account.id if account is not None else self._remembered

    async def load(self) -> None:
        """Recall it.

        Raises:
            StoreRefusedError: the store could not be read.
        """
        self._remembered = await self._facts.account_number()

    async def keep(self) -> None:
        """Remember what amoCRM has told; a disk that refuses is asked again the next time."""
        account = self._connection.account
        if account is None or account.id == self._remembered:
            return
        if await self._facts.remember_account_number(account.id):
            self._remembered = account.id


class WidgetParts:
    """The gate, and the desks behind it."""

    def __init__(
        self, live: Live, store: Store, clock: Clock, phones: Phones, account: AccountNumber
    ) -> None:
        self._live = live
        self._account = account
        self._gate = Gate(store, clock, self._access)
        self._phones = PhoneDesk(phones, clock, lambda: live.config.settings.phone_check)

    def public_routes(self) -> list[web.RouteDef]:
        """What pages of the account may call."""
        return self._gate.routes(self._phones.methods())

    def _access(self) -> Access:
        config = self._live.config
        integration = config.amocrm.integration
        known = None
        if integration is not None:
            redirect = [config.amocrm.oauth.redirect_uri] if config.amocrm.oauth else []
            known = Integration(
                id=integration.id,
                secret=integration.secret.reveal(),
                issuer=config.amocrm.account,
                audiences=frozenset(map(_origin, [config.server.public_url, *redirect])),
                account_id=self._account.now,
            )
        return Access(known, config.amocrm.account, self._live.settings.language)


def _origin(url: str) -> str:
    return str(URL(url).origin())
