"""Who may call ``/widget/…``, and in what form he is answered.

In this order, cheapest first: the widget is set up at all, the page is our account's, the token is
good, the user does not call too often, the token has not been used before. Only then the call is
carried out. There are no cookies, so a page of somebody else's can do nothing in a user's name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import structlog
from aiohttp import web

from relay.delivery.ports import Clock
from relay.delivery.store import Store, StoreRefusedError
from relay.domain.ids import UserId
from relay.domain.retry import MINUTE, SECOND
from relay.domain.settings import Language
from relay.widget.limits import Allowance, Limits
from relay.widget.problems import JSON, ProblemError, Trouble
from relay.widget.tokens import (
    HEADER,
    AccountUnknownError,
    Integration,
    TokenRefusedError,
    verify,
)

CALLS: Final = Allowance(at_once=120, a_second=2)
"""Of one user: a card, or a page of settings, makes a handful."""

_ALLOWED_HEADERS: Final = f"{HEADER}, Content-Type, X-Requested-With, Accept-Language"
_PREFLIGHT_S: Final = 600
_QUIET_MS: Final = MINUTE  # between two log lines of one kind: the door is open to anyone

_log = structlog.stdlib.get_logger("relay.widget")


@dataclass(frozen=True, slots=True)
class Access:
    """What decides who may call, as of one moment. ``integration``: None if there is no widget.

    ``origin``: where the account's pages come from. ``language``: for pages that ask for none.
    """

    integration: Integration | None
    origin: str
    language: Language


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be carried out, and who makes it."""

    request: web.Request
    user: UserId
    language: Language


Handler = Callable[[Call], Awaitable[JSON]]
"""Carries a call out; the JSON of the answer. Raises ProblemError, StoreRefusedError."""


@dataclass(frozen=True, slots=True)
class Method:
    """A path of the widget's, and who answers there."""

    verb: str
    path: str
    handle: Handler


class Gate:
    """Lets calls of the account's users in, each once."""

    def __init__(self, store: Store, clock: Clock, access: Callable[[], Access]) -> None:
        self._store = store
        self._clock = clock
        self._access = access
        self._limits = Limits(CALLS)
        self._spoke_ms: dict[Trouble, int] = {}

    def routes(self, methods: Sequence[Method]) -> list[web.RouteDef]:
        """The routes of those methods, each path with its preflight."""
        verbs: dict[str, list[str]] = {}
        for method in methods:
            verbs.setdefault(method.path, []).append(method.verb)
        found = [web.route(m.verb, m.path, self._answering(m.handle)) for m in methods]
        found += [web.options(path, self._preflight(named)) for path, named in verbs.items()]
        return found

    def _preflight(self, verbs: Sequence[str]) -> Callable[[web.Request], Awaitable[web.Response]]:
        allowed = {
            "Access-Control-Allow-Methods": ", ".join(verbs),
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(_PREFLIGHT_S),
        }

        async def preflight(request: web.Request) -> web.Response:
            access = self._access()
            known = access.integration is not None and _from_account(request, access)
            headers = _headers(request, access) | (allowed if known else {})
            return web.Response(status=204 if known else 403, headers=headers)

        return preflight

    def _answering(self, handle: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            access = self._access()
            headers = _headers(request, access)
            language = language_of(request, access.language)
            try:
                body = await handle(await self._let_in(request, access, language))
            except ProblemError as problem:
                return _refused(problem, language, headers)
            except StoreRefusedError:
                return _refused(ProblemError(Trouble.DISK), language, headers)
            except web.HTTPRequestEntityTooLarge:
                return _refused(ProblemError(Trouble.TOO_LARGE), language, headers)
            except Exception as error:  # noqa: BLE001 - the page gets an answer it may act upon
                _log.error("widget_failed", path=request.path, exc_info=error)
                return _refused(ProblemError(Trouble.INTERNAL), language, headers)
            return web.Response(
                body=orjson.dumps(body), headers=headers, content_type="application/json"
            )

        return answer

    async def _let_in(self, request: web.Request, access: Access, language: Language) -> Call:
        if access.integration is None:
            raise ProblemError(Trouble.NOT_CONFIGURED)
        if "Origin" in request.headers and not _from_account(request, access):
            raise ProblemError(Trouble.ORIGIN)
        now_ms = self._clock.now_ms()
        try:
            claims = verify(request.headers.get(HEADER, ""), access.integration, now_ms / SECOND)
        except TokenRefusedError as error:
            self._tell(Trouble.TOKEN, str(error))
            raise ProblemError(Trouble.TOKEN) from None
        except AccountUnknownError:
            raise ProblemError(Trouble.NOT_YET, retry_after_s=30) from None
        wait_s = self._limits.take(claims.user, now_ms)
        if wait_s is not None:
            self._tell(Trouble.TOO_OFTEN, f"user {claims.user}")
            raise ProblemError(Trouble.TOO_OFTEN, retry_after_s=wait_s)
        ends_ms = claims.ends_s * SECOND
        if not await self._store.transact(lambda it: it.spend(claims.id, ends_ms, now_ms)):
            self._tell(Trouble.TOKEN, "it has been used before")
            raise ProblemError(Trouble.TOKEN)
        return Call(request, claims.user, language)

    def _tell(self, trouble: Trouble, reason: str) -> None:
        now_ms = self._clock.now_ms()
        if 0 <= now_ms - self._spoke_ms.get(trouble, -_QUIET_MS) < _QUIET_MS:
            return
        self._spoke_ms[trouble] = now_ms
        _log.warning("widget_refused", trouble=trouble.value, reason=reason)


def _refused(problem: ProblemError, language: Language, headers: dict[str, str]) -> web.Response:
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return web.Response(
        status=problem.status,
        body=orjson.dumps(problem.body(language)),
        headers=headers,
        content_type="application/problem+json",
    )


def language_of(request: web.Request, otherwise: Language) -> Language:
    """The first language of the page's that we speak (``Accept-Language``, in its order)."""
    known = {language.value: language for language in Language}
    for wish in request.headers.get("Accept-Language", "").split(","):
        found = known.get(wish.partition(";")[0].strip().lower().partition("-")[0])
        if found is not None:
            return found
    return otherwise


def _from_account(request: web.Request, access: Access) -> bool:
    return request.headers.get("Origin") == access.origin


def _headers(request: web.Request, access: Access) -> dict[str, str]:
    """What every answer carries; a page of another origin may not even read a refusal."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Origin"}
    if access.integration is not None and _from_account(request, access):
        headers["Access-Control-Allow-Origin"] = access.origin
        headers["Access-Control-Expose-Headers"] = "Retry-After"
    return headers
