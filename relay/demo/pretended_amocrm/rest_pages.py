"""Lists of REST as amoCRM cuts them: pages with links, and 204 where there is nothing.

Source: amoCRM developer documentation, "API v4": limits, paging.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from relay.demo.pretended_amocrm.call import Call, Reply, json_reply
from relay.demo.pretended_amocrm.refusal import Refusal

_HAL = "application/hal+json"
_LONGEST_PAGE = 250


def hal(value: object) -> Reply:
    """A success."""
    return json_reply(200, value, _HAL)


def paged(call: Call, base_url: str, name: str, entities: Sequence[object]) -> Reply:
    """The page that the call asks for. Raises Refusal if there can be no such page."""
    page, limit = _page(call)
    shown = entities[(page - 1) * limit : page * limit]
    if not shown:
        return Reply(204)
    links = {"self": _link(call, base_url, page, limit)}
    if page * limit < len(entities):
        links["next"] = _link(call, base_url, page + 1, limit)
    return hal({"_page": page, "_links": links, "_embedded": {name: list(shown)}})


def _link(call: Call, base_url: str, page: int, limit: int) -> dict[str, str]:
    query = {**call.query, "page": page, "limit": limit}
    return {"href": f"{base_url}{call.path}?{urlencode(query)}"}


def _page(call: Call) -> tuple[int, int]:
    page, limit = call.query.get("page", "1"), call.query.get("limit", str(_LONGEST_PAGE))
    if not page.isdigit() or not limit.isdigit() or int(page) < 1:
        raise Refusal(400, "Page", "page and limit must be positive numbers")
    if not 1 <= int(limit) <= _LONGEST_PAGE:
        raise Refusal(400, "Page", f"limit is {limit}, not within 1..{_LONGEST_PAGE}")
    return int(page), int(limit)
