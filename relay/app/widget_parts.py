"""The parts that answer the widget's calls, built and joined but not started."""

from __future__ import annotations

from aiohttp import web
from yarl import URL

from relay.amocrm.connection import Connection
from relay.amocrm.staff import AccountStaff
from relay.app.channels import Channels
from relay.app.facts import Facts
from relay.app.live import Live
from relay.config.channel import AnyChannel, LinkedDevice
from relay.delivery.phones import Phones
from relay.delivery.ports import Clock
from relay.delivery.store import Store
from relay.domain.ids import ChannelId, UserId
from relay.domain.session import Session, SessionState
from relay.web.health import moment
from relay.widget.book import ChannelView, Person, Rights, SettingsBook
from relay.widget.gate import Access, Gate
from relay.widget.pairings import PairingDesk, Pairings
from relay.widget.phones import PhoneDesk
from relay.widget.settings import SettingsDesk
from relay.widget.tokens import Integration

_UNLINKED = frozenset(
    {
        SessionState.UNPAIRED,
        SessionState.LOGGED_OUT,
        SessionState.FAILED,  # perhaps its session is damaged; if not, linking tells what to do
        SessionState.STOPPED,
    }
)


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
        self,
        live: Live,
        store: Store,
        clock: Clock,
        *,
        phones: Phones,
        account: AccountNumber,
        staff: AccountStaff,
        channels: Channels,
        book: SettingsBook,
        pairings: Pairings,
    ) -> None:
        self._live = live
        self._account = account
        self._staff = staff
        self._channels = channels
        self._gate = Gate(store, clock, self._access)
        self._phones = PhoneDesk(phones, clock, lambda: live.config.settings.phone_check)
        self._settings = SettingsDesk(
            book,
            clock,
            rights=self._rights,
            people=self._people,
            channels=self._views,
        )
        self._pairings = PairingDesk(pairings, clock, self._rights)

    def public_routes(self) -> list[web.RouteDef]:
        """What pages of the account may call."""
        desks = (self._phones, self._settings, self._pairings)
        return self._gate.routes([method for desk in desks for method in desk.methods()])

    def _rights(self, user: UserId) -> Rights:
        """By the account's rights, else by the file's ``sections``."""
        rules = self._live.config.user(user)
        sections = frozenset(rules.sections) if rules is not None else frozenset[str]()
        return Rights(self._staff.is_administrator(user), sections)

    def _people(self) -> list[Person]:
        return [
            Person(user, name, self._staff.is_administrator(user))
            for user, name in self._staff.names().items()
        ]

    def _views(self) -> list[ChannelView]:
        sessions = self._channels.sessions
        return [
            _view(id_, channel, sessions.get(id_))
            for id_, channel in self._live.config.channels.items()
        ]

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


def _view(id_: ChannelId, channel: AnyChannel, session: Session | None) -> ChannelView:
    state = session.state if session else SessionState.STOPPED
    return ChannelView(
        id=id_,
        title=channel.title,
        state=state.value,
        reason=session.reason if session else "not running",
        since=moment(session.since_ms) if session else None,
        own=f"+{session.own}" if session and session.own else None,
        linkable=isinstance(channel, LinkedDevice) and state in _UNLINKED,
    )


def _origin(url: str) -> str:
    return str(URL(url).origin())
