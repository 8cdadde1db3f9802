"""The one client of the REST API: token, pace, retries and errors are seen to here.

Whoever calls it gets JSON, or one of the errors of :mod:`relay.amocrm.errors` within a minute and
a half, whatever amoCRM does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential
from yarl import URL

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.answers import Answer, after_ms, parse
from relay.amocrm.client import TIMEOUT_S, exchange
from relay.amocrm.errors import (
    AmoCrmError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    RejectedError,
    UnreachableError,
)
from relay.amocrm.rest.bucket import Bucket
from relay.amocrm.rest.problems import line_of
from relay.amocrm.rest.tokens import Tokens
from relay.delivery.ports import Clock
from relay.domain.retry import SECOND
from relay.domain.values import value

LIMIT_MS: Final = 60 * SECOND
"""A call begins no attempt later than this; an attempt has ten seconds."""

ATTEMPTS: Final = 5
"""So often one call is tried, if trying again may help."""

LONGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of an answer that are read: 250 users with all their rights are some hundred thousand."""

LONGEST_PAGE: Final = 250
MOST_PAGES: Final = 200

JsonObject = Mapping[str, object]
Query = Sequence[tuple[str, str]]

_BASE: Final = "/api/v4/"
_ACCOUNT: Final = "account"
_LONGEST_PAUSE_S: Final = 10
_REPEATABLE: Final = frozenset({"GET", "PATCH", "DELETE"})
"""Methods that may simply be repeated where nobody knows whether they were carried out."""


class _AgainError(UnreachableError):
    """This attempt failed; the next one may succeed."""


class _PacedError(_AgainError):
    """As above, and the bucket knows how long to wait."""


@value
class _Request:
    method: str
    path: str
    query: Query
    body: bytes | None


class RestClient:
    """Speaks to ``/api/v4`` of one account."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account_url: str,
        tokens: Tokens,
        clock: Clock,
        alarm: CredentialsAlarm,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.tokens = tokens
        self._session = session
        self._base = account_url.rstrip("/") + _BASE
        self._clock = clock
        self._alarm = alarm
        self._timeout_s = timeout_s
        self._bucket = Bucket(clock)
        self._complained = False

    async def call(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: object = None,
        *,
        attempts: int = ATTEMPTS,
    ) -> JsonObject:
        """What amoCRM answers; an empty object where it answers without a body (204).

        ``path`` comes after ``/api/v4/``. A POST is not repeated if it may have been carried out.

        Raises:
            RefusedError: the token is no good; ForbiddenError: it has no right to do this.
            RejectedError: amoCRM understood, and will not; NotFoundError: there is no such thing.
            UnreachableError: no answer, or none that makes sense, in time.
        """
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        request = _Request(method, path, query, sent)
        deadline_ms = self._clock.now_ms() + LIMIT_MS
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(attempts),
            wait=_pause_s,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(self._attempt, request, deadline_ms)

    async def every(self, path: str, name: str, query: Query = ()) -> list[JsonObject]:
        """All entities of a list, page by page; ``name`` is their key in ``_embedded``.

        Raises:
            AmoCrmError: as :meth:`call` does.
        """
        found: list[JsonObject] = []
        for page in range(1, MOST_PAGES + 1):
            place = [*query, ("page", str(page)), ("limit", str(LONGEST_PAGE))]
            answer = await self.call("GET", path, place)
            found += entities(answer, name)
            links = answer.get("_links")
            if not (isinstance(links, dict) and links.get("next")):
                return found
        raise UnreachableError(f"{path} has more than {MOST_PAGES} pages")

    async def _attempt(self, request: _Request, deadline_ms: int) -> JsonObject:
        await self._bucket.turn(deadline_ms)
        try:
            token = await self.tokens.token()
        except RefusedError as error:
            self._complain(str(error))
            raise
        answer = await self._send(request, token)
        if 200 <= answer.status < 300:
            return self._success(answer)
        raise await self._failure(request, answer, token, deadline_ms)

    async def _send(self, request: _Request, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/hal+json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        query = f"?{urlencode(request.query)}" if request.query else ""
        url = URL(self._base + request.path + query, encoded=True)
        try:
            return await exchange(
                self._session,
                request.method,
                url,
                headers,
                request.body,
                timeout_s=self._timeout_s,
                longest=LONGEST_ANSWER,
            )
        except UnreachableError as error:
            raise _again(request, str(error)) from error

    def _success(self, answer: Answer) -> JsonObject:
        said = parse(answer.body) if answer.body.strip() else {}
        if not isinstance(said, dict):
            raise UnreachableError(f"amoCRM answered {answer.status} with what is not its JSON")
        self._bucket.calm()
        if self._complained:
            self._complained = False
            self._alarm.accepted(Credential.TOKEN)
        return said

    async def _failure(
        self, request: _Request, answer: Answer, token: str, deadline_ms: int
    ) -> AmoCrmError:
        """The error that an answer means."""
        line = line_of(answer)
        match answer.status:
            case 401 if await self.tokens.refused(token):
                return _PacedError(line)
            case 401 | 402:
                self._complain(line)
                return RefusedError(line)
            case 403 if await self._is_blocked(request, token, deadline_ms):
                self._bucket.blocked()
                return RefusedError(line) if request.path == _ACCOUNT else _PacedError(line)
            case 429:
                self._bucket.throttled(after_ms(answer, parse(answer.body)))
                return _PacedError(line)
            case status:
                return _by_status(request, status, line)

    async def _is_blocked(self, request: _Request, token: str, deadline_ms: int) -> bool:
        """Whether amoCRM answers 403 to everything: then it does so for the account too.

        Everybody may read the account, so there a 403 is never a matter of rights.
        """
        if request.path == _ACCOUNT:
            return True
        await self._bucket.turn(deadline_ms)
        answer = await self._send(_Request("GET", _ACCOUNT, (), None), token)
        return answer.status == 403

    def _complain(self, reason: str) -> None:
        self._complained = True
        self._alarm.refused(Credential.TOKEN, reason)

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_ms(round(seconds * SECOND))


def entities(answer: JsonObject, name: str) -> list[JsonObject]:
    """What an answer embeds under a name; entries that are no objects are passed over."""
    embedded = answer.get("_embedded")
    found = embedded.get(name) if isinstance(embedded, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _by_status(request: _Request, status: int, line: str) -> AmoCrmError:
    if not 400 <= status < 500:
        return _again(request, line)
    return {403: ForbiddenError, 404: NotFoundError}.get(status, RejectedError)(line)


def _again(request: _Request, reason: str) -> UnreachableError:
    """No answer, or one that says nothing of the request: only some requests may be repeated."""
    return (_AgainError if request.method in _REPEATABLE else UnreachableError)(reason)


_growing = wait_random_exponential(max=_LONGEST_PAUSE_S)


def _pause_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return 0.0 if isinstance(error, _PacedError) else _growing(state)
