"""Where an administrator's consent comes in, and where `relay authorize` asks for it.

The first is open to the world; the others are on the control socket alone.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from relay.amocrm.errors import RefusedError
from relay.amocrm.rest.consent import ConsentDesk, ConsentState
from relay.domain.retry import SECOND
from relay.domain.settings import Language

REDIRECT_ROUTE = "/amocrm/oauth"
AUTHORIZE_ROUTE = "/authorize"

_LONGEST_WAIT_MS = 20 * SECOND

_PAGES = {
    ConsentState.DONE: {
        Language.RU: "Готово: amoCRM выдала доступ. Эту страницу можно закрыть.",
        Language.EN: "Done: amoCRM has given access. You may close this page.",
    },
    ConsentState.FAILED: {
        Language.RU: "Не получилось. Причина названа там, где запущена команда relay authorize.",
        Language.EN: "It failed. The command relay authorize tells why, where it was started.",
    },
    ConsentState.WAITING: {
        Language.RU: "Эта ссылка не действует. Запустите relay authorize и откройте новую.",
        Language.EN: "This link is not in force. Run relay authorize and open a new one.",
    },
}
_STATUSES = {ConsentState.DONE: 200, ConsentState.FAILED: 502, ConsentState.WAITING: 403}


def redirect_routes(desk: ConsentDesk, language: Callable[[], Language]) -> list[web.RouteDef]:
    """``GET /amocrm/oauth``: 200 when there are tokens, 403 for who was not sent, else 502."""

    async def arrive(request: web.Request) -> web.Response:
        standing = await desk.arrive(request.query)
        return web.Response(status=_STATUSES[standing], text=_PAGES[standing][language()] + "\n")

    return [web.get(REDIRECT_ROUTE, arrive)]


def authorizing_routes(desk: ConsentDesk) -> list[web.RouteDef]:
    """``POST /authorize`` begins, ``GET /authorize?id=…`` waits a while and tells how it stands."""

    async def begin(_: web.Request) -> web.Response:
        try:
            asked = desk.begin()
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response({"id": asked.id, "address": asked.address})

    async def wait(request: web.Request) -> web.Response:
        standing, reason = await desk.wait(request.query.get("id", ""), _LONGEST_WAIT_MS)
        return web.json_response({"state": standing.value, "reason": reason})

    return [web.post(AUTHORIZE_ROUTE, begin), web.get(AUTHORIZE_ROUTE, wait)]
