"""The tokens of an administrator's consent, renewed in time.

A refresh token is good once, so there is one refresher, and three rules:

* that a renewal begins is written down before amoCRM is asked;
* what comes back is written down before anything else happens, without leaving the loop: nothing
  but a kill can come between;
* if one did come between, the old refresh token is tried again (UNCONFIRMED: whether amoCRM takes
  it), and the old access token is used while it lives. Since renewals happen at half its life,
  there are twelve hours to run ``relay authorize`` in.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

import aiohttp
import orjson
import structlog
from yarl import URL

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.answers import Answer
from relay.amocrm.client import TIMEOUT_S, exchange
from relay.amocrm.credentials import CredentialsHolder, OAuthClient
from relay.amocrm.errors import RefusedError, UnreachableError
from relay.amocrm.rest.oauth import EXCHANGE_PATH, Grant, code_body, grant_of, refresh_body
from relay.amocrm.rest.problems import line_of
from relay.delivery.forms import read_form
from relay.delivery.ports import Clock
from relay.domain.retry import HOUR, MINUTE

FIRST_PAUSE_MS: Final = MINUTE
LONGEST_PAUSE_MS: Final = HOUR
FRESH_MS: Final = MINUTE
"""A token this young that is refused is not renewed again: the fault is elsewhere."""

_OVER: Final = (400, 401, 403)
"""Answers to a renewal that no repetition will change."""

AGAIN: Final = "run `relay authorize` and let an administrator consent again"

_log = structlog.get_logger()


class OAuthTokens:
    """Implements :class:`relay.amocrm.rest.tokens.Tokens`; one task runs it.

    ``keep`` writes the grant down at once and durably, or raises OSError.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account_url: str,
        credentials: CredentialsHolder,
        *,
        clock: Clock,
        alarm: CredentialsAlarm,
        keep: Callable[[bytes], None],
        kept: bytes | None = None,
    ) -> None:
        self._session = session
        self._url = URL(account_url.rstrip("/") + EXCHANGE_PATH)
        self._credentials = credentials
        self._clock = clock
        self._alarm = alarm
        self._keep = keep
        self._line = asyncio.Lock()
        self._wish = asyncio.Event()
        self._unsaved = False
        self._spent: tuple[str, str] | None = None  # refused: the refresh token, with that secret
        self._grant = _read(kept)

    @property
    def grant(self) -> str:
        """The consent in force; empty if there is none for the integration of the file."""
        grant = self._current()
        return grant.consent if grant is not None else ""

    @property
    def expires_ms(self) -> int | None:
        """When the access token ends, unless it is renewed; None if there is none."""
        grant = self._current()
        return grant.expires_ms if grant is not None else None

    def wake(self) -> None:
        """Look at once: the file names another integration or secret."""
        self._wish.set()

    async def token(self) -> str:
        """The access token, renewed first if its time is over.

        Raises:
            RefusedError: there is no consent (any more).
            UnreachableError: amoCRM could not be asked to renew it.
        """
        grant = self._demanded()
        if self._clock.now_ms() >= grant.expires_ms:
            await self._renew(grant)
        return self._demanded().access

    async def refused(self, token: str) -> bool:
        """Whether there is another token by now, or one could be had.

        Raises:
            RefusedError: the consent is over.
            UnreachableError: amoCRM could not be asked to renew it.
        """
        grant = self._demanded()
        if grant.access == token:
            if self._clock.now_ms() - grant.issued_ms < FRESH_MS:
                return False
            await self._renew(grant)
        return True

    async def obtain(self, code: str) -> None:
        """Turn the code that an administrator's consent has brought into tokens, and keep them.

        Raises:
            RefusedError: amoCRM does not take it.
            UnreachableError: no answer; a code lives twenty minutes and may be tried again.
            OSError: the tokens cannot be kept, and amoCRM was not asked.
        """
        client = self._client()
        async with self._line:
            self._keep(_bytes(self._grant))  # so that a disk that refuses is known before
            answer = await self._ask(code_body(client, code))
            if answer.status != 200:
                error = RefusedError if 400 <= answer.status < 500 else UnreachableError
                raise error(line_of(answer))
            now_ms = self._clock.now_ms()
            self._take(grant_of(answer, uuid.uuid4().hex, client.id, now_ms))
        self._wish.set()

    async def run(self) -> None:
        """Renew in time, for ever. What fails is tried again with growing pauses."""
        failures = 0
        while True:
            growing_ms = min(FIRST_PAUSE_MS << min(max(failures - 1, 0), 10), LONGEST_PAUSE_MS)
            pause_ms = growing_ms if failures else self._wait_ms()
            await self._clock.wait_ms(self._wish, pause_ms)
            self._wish.clear()
            failures = 0 if await self._look() else failures + 1

    async def _look(self) -> bool:
        """Do what is due; False if it is to be tried again soon."""
        if self._unsaved:
            self._save_again()
        grant = self._current()
        if grant is None or self._is_spent(grant) or self._clock.now_ms() < grant.renew_ms:
            return not self._unsaved
        try:
            await self._renew(grant)
        except UnreachableError as error:
            _log.warning("token_not_renewed", error=str(error))
            return False
        except RefusedError:  # the alarm has been raised
            return True
        return not self._unsaved

    async def finish(self) -> None:
        """Back once no renewal is under way: a stop in the middle might lose the new tokens."""
        async with self._line:
            return

    def _wait_ms(self) -> int:
        grant = self._current()
        if grant is None or self._is_spent(grant):
            return LONGEST_PAUSE_MS
        return min(max(grant.renew_ms - self._clock.now_ms(), 0), LONGEST_PAUSE_MS)

    def _client(self) -> OAuthClient:
        client = self._credentials.current.oauth
        if client is None:
            raise RefusedError("the file has no amocrm.oauth")
        return client

    def _current(self) -> Grant | None:
        client, grant = self._credentials.current.oauth, self._grant
        return grant if client and grant and grant.client_id == client.id else None

    def _demanded(self) -> Grant:
        grant = self._current()
        if grant is None:
            raise RefusedError(f"nobody has consented yet: {AGAIN}")
        return grant

    def _is_spent(self, grant: Grant) -> bool:
        return self._spent == (grant.refresh, self._client().secret)

    async def _renew(self, old: Grant) -> None:
        """Renew it, unless somebody else has done so meanwhile.

        Raises:
            RefusedError: the refresh token is not taken any more.
            UnreachableError: no answer, or the disk could not keep one.
        """
        async with self._line:
            now = self._current()
            if now is None or now.refresh != old.refresh:
                return
            client = self._client()
            if self._is_spent(now):
                raise RefusedError(f"the consent is over: {AGAIN}")
            self._begin(now)
            answer = await self._ask(refresh_body(client, now.refresh))
            if answer.status == 200:
                self._take(grant_of(answer, now.consent, now.client_id, self._clock.now_ms()))
                _log.info("token_renewed")
            elif answer.status in _OVER:
                raise self._over(now, client, line_of(answer))
            else:
                raise UnreachableError(line_of(answer))

    def _begin(self, grant: Grant) -> None:
        """Write down that the refresh token may be spent from now on."""
        begun = replace(grant, renewing_ms=self._clock.now_ms())
        try:
            self._keep(_bytes(begun))
        except OSError as error:
            reason = f"not renewed, for new tokens could not be kept: {error.strerror}"
            raise UnreachableError(reason) from error
        self._grant = begun

    def _over(self, old: Grant, client: OAuthClient, line: str) -> RefusedError:
        """The refresh token is not taken: spent, expired or revoked."""
        self._spent = (old.refresh, client.secret)
        lost = "" if old.renewing_ms is None else " (an earlier renewal was left without an answer)"
        reason = f"the tokens cannot be renewed{lost}: {line}; {AGAIN}"
        self._alarm.refused(Credential.OAUTH, reason)
        return RefusedError(reason)

    async def _ask(self, body: bytes) -> Answer:
        headers = {"Content-Type": "application/json"}
        return await exchange(self._session, "POST", self._url, headers, body, timeout_s=TIMEOUT_S)

    def _take(self, grant: Grant) -> None:
        """From now on these tokens are in force, whether the disk takes them or not."""
        self._grant, self._spent = grant, None
        self._save_again()
        self._alarm.accepted(Credential.OAUTH)

    def _save_again(self) -> None:
        """Write the grant down; what the disk refuses now is tried again by the task."""
        if self._grant is None:
            return
        try:
            self._keep(_bytes(self._grant))
        except OSError as error:
            self._unsaved = True
            _log.error("tokens_not_kept", error=error.strerror)
        else:
            self._unsaved = False


def _bytes(grant: Grant | None) -> bytes:
    return orjson.dumps(grant) if grant is not None else b""


def _read(kept: bytes | None) -> Grant | None:
    if not kept:
        return None
    try:
        return cast(Grant, read_form(Grant, kept))
    except ValueError:
        _log.error("tokens_not_read")
        return None
