"""One administrator's consent: the address to open, and what comes back from it.

``GET /amocrm/oauth`` is open to the world, so what comes is believed only with the state that was
given out, which is good once and for as long as amoCRM's own codes: twenty minutes.
"""

from __future__ import annotations

import asyncio
import enum
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import structlog

from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import AmoCrmError, RefusedError
from relay.amocrm.rest.oauth import page_address
from relay.amocrm.rest.renewal import OAuthTokens
from relay.delivery.ports import Clock
from relay.domain.retry import MINUTE

LIFE_MS: Final = 20 * MINUTE

_log = structlog.get_logger()


class ConsentState(enum.StrEnum):
    """How far it is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Consent:
    """One asking for consent; ``id`` names it to whoever waits, ``state`` to amoCRM."""

    address: str
    state: str = field(repr=False)
    until_ms: int
    id: str
    standing: ConsentState = ConsentState.WAITING
    reason: str = ""
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, standing: ConsentState, reason: str = "") -> None:
        """It has come to an end."""
        self.standing, self.reason = standing, reason
        self.settled.set()


class ConsentDesk:
    """Asks for consent, one at a time, and takes what comes back.

    ``on_done`` is called once there are new tokens.
    """

    def __init__(
        self,
        tokens: OAuthTokens,
        account_url: str,
        credentials: CredentialsHolder,
        clock: Clock,
        on_done: Callable[[], None],
    ) -> None:
        self._tokens = tokens
        self._account_url = account_url
        self._credentials = credentials
        self._clock = clock
        self._on_done = on_done
        self._asked: Consent | None = None
        self._told_ms: int | None = None

    def begin(self) -> Consent:
        """A new asking, which ends an older one.

        Raises:
            RefusedError: the file has no ``amocrm.oauth``.
        """
        client = self._credentials.current.oauth
        if client is None:
            raise RefusedError("the file has no amocrm.oauth, so there is nothing to consent to")
        if self._asked is not None and not self._asked.settled.is_set():
            self._asked.settle(ConsentState.FAILED, "it was begun anew elsewhere")
        state = secrets.token_urlsafe(32)
        address = page_address(self._account_url, client.id, state)
        until_ms = self._clock.now_ms() + LIFE_MS
        self._asked = Consent(address, state, until_ms, secrets.token_hex(8))
        return self._asked

    async def wait(self, id_: str, at_most_ms: int) -> tuple[ConsentState, str]:
        """How an asking stands, once it has come to an end or the time is over."""
        asked = self._asked
        if asked is None or asked.id != id_:
            return ConsentState.FAILED, "it was begun anew elsewhere, or the relay was restarted"
        await self._clock.wait_ms(asked.settled, at_most_ms)
        if not asked.settled.is_set() and self._clock.now_ms() >= asked.until_ms:
            asked.settle(ConsentState.FAILED, "nobody consented within twenty minutes")
        return asked.standing, asked.reason

    async def arrive(self, query: Mapping[str, str]) -> ConsentState:
        """An administrator's browser comes back; WAITING if it is not the one that was sent."""
        asked = self._asked
        if asked is None or not self._is_meant(asked, query.get("state", "")):
            self._tell_stranger()
            return ConsentState.WAITING
        asked.state = ""  # good once
        try:
            await self._take(query)
        except (AmoCrmError, OSError) as error:
            asked.settle(ConsentState.FAILED, str(error))
            _log.warning("consent_refused", reason=str(error))
        else:
            asked.settle(ConsentState.DONE)
            _log.info("consent_given")
            self._on_done()
        return asked.standing

    def _tell_stranger(self) -> None:
        """At most once a minute: the address is open to anyone."""
        now_ms = self._clock.now_ms()
        if self._told_ms is None or not 0 <= now_ms - self._told_ms < MINUTE:
            self._told_ms = now_ms
            _log.warning("consent_refused", reason="no consent was asked for with that state")

    def _is_meant(self, asked: Consent, state: str) -> bool:
        if asked.settled.is_set() or not asked.state or self._clock.now_ms() >= asked.until_ms:
            return False
        return hmac.compare_digest(asked.state.encode(), state.encode("utf-8", "surrogateescape"))

    async def _take(self, query: Mapping[str, str]) -> None:
        if query.get("error"):
            raise RefusedError("the administrator did not consent")
        wanted = urlsplit(self._account_url).netloc
        given = query.get("referer", wanted)
        if given.lower() != wanted.lower():
            raise RefusedError(
                f"the consent was given for the account {given[:100]}, but the file says {wanted}"
            )
        await self._tokens.obtain(query.get("code", ""))
