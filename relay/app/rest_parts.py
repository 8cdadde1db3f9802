"""The parts that face amoCRM's REST API, built and joined but not started."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial

import aiohttp
from aiohttp import web

from relay.amocrm.alarm import CredentialsAlarm
from relay.amocrm.phones import PhoneRewriter
from relay.amocrm.rest.client import RestClient
from relay.amocrm.rest.consent import ConsentDesk
from relay.amocrm.rest.expiry import ExpiryWatch
from relay.amocrm.rest.renewal import OAuthTokens
from relay.amocrm.rest.tokens import AccountTokens
from relay.amocrm.rest.users import read_users
from relay.amocrm.sources import SourceKeeper
from relay.amocrm.staff import AccountStaff
from relay.app.authorizing import authorizing_routes, redirect_routes
from relay.app.clock import SteadyClock, SystemClock
from relay.app.facts import Facts
from relay.app.grant_file import GrantFile
from relay.app.live import Live
from relay.delivery.contacts import client_of
from relay.delivery.store import Store
from relay.domain.bodies import PhoneRewrite
from relay.domain.outbox import Outcome


class RestParts:
    """Tokens, the client, and what is kept in step by it.

    ``confirmed``: whether the token in force opens our account. ``reconnect``: there are new
    tokens.
    """

    def __init__(
        self,
        live: Live,
        session: aiohttp.ClientSession,
        facts: Facts,
        alarm: CredentialsAlarm,
        *,
        clock: SystemClock,
        confirmed: Callable[[], bool],
        reconnect: Callable[[], None],
    ) -> None:
        self._live = live
        self._confirmed = confirmed
        self._looked_with: str | None = None
        account = live.config.amocrm.account
        file = GrantFile(live.config.storage.directory)
        self._consented = OAuthTokens(
            session,
            account,
            live.credentials,
            clock=clock,
            alarm=alarm,
            keep=file.keep,
            kept=file.read(),
        )
        self._expiry = ExpiryWatch(live.credentials, clock)
        self._desk = ConsentDesk(self._consented, account, live.credentials, clock, reconnect)
        self.tokens = AccountTokens(live.credentials, self._consented)
        self.client = RestClient(session, account, self.tokens, SteadyClock(clock), alarm)
        self.staff = AccountStaff(
            read=lambda: read_users(self.client),
            confirmed=confirmed,
            clock=clock,
            alarm=alarm,
            recall=facts.staff,
            remember=facts.remember_staff,
        )
        self.sources = SourceKeeper(self.client, live.sources, confirmed, clock)

    def phones_of(self, store: Store) -> Callable[[PhoneRewrite], Awaitable[Outcome]]:
        """What carries the letters about numbers in contacts' cards."""
        rewriter = PhoneRewriter(
            self.client,
            find=partial(client_of, store),
            confirmed=self._confirmed,
            wanted=lambda: self._live.settings.phone_8_to_7,
        )
        return rewriter.rewrite

    def public_routes(self) -> list[web.RouteDef]:
        """What the world may call."""
        return redirect_routes(self._desk, lambda: self._live.settings.language)

    def control_routes(self) -> list[web.RouteDef]:
        """What the command line may call."""
        return authorizing_routes(self._desk)

    def work(self) -> dict[str, Coroutine[object, object, None]]:
        """What runs for ever, by name."""
        return {
            "amocrm tokens": self._consented.run(),
            "amocrm token's end": self._expiry.run(),
            "amocrm staff": self.staff.run(),
            "amocrm sources": self.sources.run(),
        }

    def on_credentials(self) -> None:
        """Those in the file have changed."""
        self._expiry.wake()
        self._consented.wake()

    def on_connected(self) -> None:
        """The channel has been connected: with a new consent or token all is looked at anew."""
        if self._confirmed() and self._looked_with != self.tokens.grant:
            self._looked_with = self.tokens.grant
            self.staff.wake()
            self.sources.wake()

    def token_expires_s(self) -> float:
        """When the token in force ends, seconds since the epoch; NaN if nobody knows."""
        oauth = self._live.credentials.current.oauth
        ends_ms = self._consented.expires_ms if oauth else self._expiry.expires_ms
        return math.nan if ends_ms is None else ends_ms / 1000

    async def finish(self) -> None:
        """Back once no renewal of tokens is under way."""
        await self._consented.finish()
