"""What the command line tells the running relay about the linking of numbers.

On the control socket alone: it is for whoever may read the storage directory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import structlog
from aiohttp import web

from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.phone import masked
from relay.whatsapp.linked_device.pairing_terms import NotUnlinkedError

_log = structlog.stdlib.get_logger("relay")


@runtime_checkable
class Linkable(Protocol):
    """An engine whose number is linked and unlinked from outside."""

    def paired(self) -> None:
        """The session's file has changed: look at once."""
        ...

    async def unpair(self) -> OwnNumber:
        """Log out at WhatsApp and remove the session; the number it had.

        Raises:
            NotUnlinkedError: it did not succeed, and the session is kept.
        """
        ...


def paired_route(channel: str) -> str:
    """``POST`` it when a channel's session was made or removed by another process."""
    return f"/paired/{channel}"


def unpair_route(channel: str) -> str:
    """``POST`` it to have a channel's device logged out; 409 if the relay has no connection."""
    return f"/unpair/{channel}"


def linking_routes(engine: Callable[[ChannelId], object]) -> list[web.RouteDef]:
    """The routes, for the engines of the channels that run."""

    def wanted(request: web.Request) -> Linkable | None:
        found = engine(ChannelId(request.match_info["channel"]))
        return found if isinstance(found, Linkable) else None

    async def paired(request: web.Request) -> web.Response:
        linkable = wanted(request)
        if linkable is None:
            return web.json_response({"error": "no such channel runs"}, status=404)
        linkable.paired()
        return web.json_response({})

    async def unpair(request: web.Request) -> web.Response:
        linkable = wanted(request)
        if linkable is None:
            return web.json_response({"error": "no such channel runs"}, status=404)
        try:
            own = await linkable.unpair()
        except NotUnlinkedError as error:
            return web.json_response({"error": str(error)}, status=409)
        _log.info("number_unlinked", channel=request.match_info["channel"], own=masked(own))
        return web.json_response({"number": own})

    return [
        web.post(paired_route("{channel}"), paired),
        web.post(unpair_route("{channel}"), unpair),
    ]
