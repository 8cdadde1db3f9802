"""``relay phone``: which numbers are on WhatsApp, asked of the running relay.

On the control socket alone: whoever may read the storage directory may ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from relay.app.channels import Channels
from relay.delivery.phones import Line, Phones
from relay.delivery.store import StoreRefusedError
from relay.domain.ids import ChannelId
from relay.domain.phone_check import PhoneCheck
from relay.domain.session import SessionState
from relay.web.health import JsonValue

PHONE_ROUTE = "/phone"
_SECOND_MS = 1_000


def lines_of(channels: Channels) -> Callable[[], Mapping[ChannelId, Line]]:
    """The channels that run now, as far as numbers are checked over them."""

    def lines() -> Mapping[ChannelId, Line]:
        found: dict[ChannelId, Line] = {}
        for id_, session in channels.sessions.items():
            engine = channels.engine(id_)
            if engine is not None:
                connected = session.state is SessionState.CONNECTED
                found[id_] = Line(engine, connected, session.own)
        return found

    return lines


def phone_routes(phones: Phones, now_ms: Callable[[], int]) -> list[web.RouteDef]:
    """``GET /phone?phone=…[&channel=…][&again=1]``; 400 if that is not a number."""

    async def phone(request: web.Request) -> web.Response:
        channel = ChannelId(request.query.get("channel", "")) or None
        number = phones.number(request.query.get("phone", ""), channel)
        if number is None:
            return web.json_response({"error": "not a telephone number"}, status=400)
        again = request.query.get("again") == "1"
        try:
            answers = await phones.ask([number], channel=channel, again=again)
        except StoreRefusedError:
            return web.json_response({"error": "the journal cannot be written"}, status=503)
        return web.json_response(
            _as_json(number, answers.checks[number], now_ms()) | {"trouble": answers.trouble}
        )

    return [web.get(PHONE_ROUTE, phone)]


def _as_json(number: str, check: PhoneCheck, now_ms: int) -> dict[str, JsonValue]:
    at_ms = check.checked_ms
    checked = (
        None
        if at_ms is None
        else datetime.fromtimestamp(at_ms / _SECOND_MS, UTC).isoformat(timespec="seconds")
    )
    age = None if at_ms is None else max(0, now_ms - at_ms) // _SECOND_MS
    return {
        "phone": f"+{number}",
        "state": check.state.value,
        "checked": checked,
        "age_seconds": age,
    }
