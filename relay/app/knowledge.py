"""What the running relay knows and no file says, for who explains what a file would do.

On the control socket alone: whoever may read the storage directory may ask.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from relay.delivery.phones import Absent
from relay.delivery.store import Store
from relay.domain.phone import normalise
from relay.domain.settings import Settings

KNOWLEDGE_ROUTE = "/knowledge"


def knowledge_routes(
    store: Store, settings: Callable[[], Settings], now_ms: Callable[[], int]
) -> list[web.RouteDef]:
    """``GET /knowledge?phone=…``: the channels' numbers, and what is known against that number.

    Nobody is asked for it, neither WhatsApp nor amoCRM.
    """

    async def knowledge(request: web.Request) -> web.Response:
        owns = {id_: channel.own for id_, channel in settings().channels.items()}
        written = request.query.get("phone", "")
        numbers = {normalise(written, own) for own in (*owns.values(), None)} - {None}
        absent = await store.query(
            lambda ledger: [n for n in numbers if n in Absent(ledger, now_ms())]
        )
        own = {id_: number for id_, number in owns.items() if number is not None}
        return web.json_response({"own": own, "absent": absent})

    return [web.get(KNOWLEDGE_ROUTE, knowledge)]
