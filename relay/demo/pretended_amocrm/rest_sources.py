"""REST API v4: sources, the entrances by which chats come into an account.

Source: amoCRM developer documentation, "API v4": sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relay.demo.pretended_amocrm.call import Call, Reply
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.rest_pages import hal, paged
from relay.demo.pretended_amocrm.shapes import array, boolean, choice, integer, record, string
from relay.demo.pretended_amocrm.state import Account, JsonBody, Source

_FIRST = 70_001
_MOST_AT_ONCE = 50

_PARAMS = record({"waba": boolean}, {"is_supports_list_message": boolean})
_PAGE = record({"id": string(), "name": string(), "link": string()})
_SERVICE = record(
    {"type": choice("whatsapp")}, {"params": _PARAMS, "pages": array(_PAGE, _MOST_AT_ONCE)}
)
_REST = {
    "pipeline_id": integer(1), "default": boolean, "origin_code": string(),
    "services": array(_SERVICE, _MOST_AT_ONCE), "request_id": string(),
}  # fmt: skip
_EXTERNAL_ID = string(longest=36, ascii_only=True)
_NEW = record({"name": string(), "external_id": _EXTERNAL_ID}, _REST)
_CHANGE = record({"id": integer(1)}, {"name": string(), "external_id": _EXTERNAL_ID, **_REST})


class Sources:
    """The sources of one account's one integration. `limit` is how many there may be."""

    def __init__(self, account: Account) -> None:
        self.limit = 100
        self._account = account

    def many(self, call: Call, base_url: str) -> Reply:
        """``GET``, ``POST`` and ``PATCH /sources``."""
        if call.method == "GET":
            wanted = call.query.get("filter[external_id]")
            found = [s for s in self._all() if wanted in (None, s.external_id)]
            return paged(call, base_url, "sources", [_shown(source) for source in found])
        body = call.json()
        _check(array(_NEW if call.method == "POST" else _CHANGE, _MOST_AT_ONCE), body)
        act = self._add if call.method == "POST" else self._change
        assert isinstance(body, list)  # noqa: S101 - its shape has just been checked
        return hal({"_embedded": {"sources": [_shown(source) for source in act(body)]}})

    def one(self, call: Call, _: str) -> Reply:
        """``GET``, ``PATCH`` and ``DELETE /sources/{id}``."""
        source = self._found(int(call.path.rpartition("/")[2]))
        if call.method == "DELETE":
            del self._account.sources[source.id]
            return Reply(204)
        if call.method == "PATCH":
            body = call.json()
            if not isinstance(body, dict):
                raise Refusal(400, "WrongType", "one source is changed with an object")
            whole = {**body, "id": source.id}
            _check(_CHANGE, whole)
            [source] = self._change([whole])
        return hal(_shown(source))

    def _all(self) -> Sequence[Source]:
        return tuple(self._account.sources.values())

    def _found(self, number: int) -> Source:
        source = self._account.sources.get(number)
        if source is None:
            raise Refusal(404, "NotFound", f"there is no source {number}")
        return source

    def _add(self, bodies: Sequence[JsonBody]) -> list[Source]:
        if len(self._account.sources) + len(bodies) > self.limit:
            raise Refusal(400, "LimitExceeded", f"an integration has {self.limit} sources at most")
        names = [s.external_id for s in self._all()] + [body["external_id"] for body in bodies]
        if len(set(names)) < len(names):
            raise Refusal(400, "NotUnique", "external_id: there is such a source already")
        for body in bodies:
            self._check_pipeline(body)
        made = []
        for body in bodies:
            number = max([_FIRST - 1, *self._account.sources]) + 1
            source = Source(number, body["external_id"], body["name"], self._account.pipelines[0])
            self._account.sources[number] = source
            self._apply(source, body)
            made.append(source)
        return made

    def _change(self, bodies: Sequence[JsonBody]) -> list[Source]:
        sources = [self._found(body["id"]) for body in bodies]
        for source, body in zip(sources, bodies, strict=True):
            if body.get("external_id", source.external_id) != source.external_id:
                raise Refusal(400, "Immutable", "external_id can never be changed")
            self._check_pipeline(body)
        for source, body in zip(sources, bodies, strict=True):
            self._apply(source, body)
        return sources

    def _check_pipeline(self, body: JsonBody) -> None:
        if body.get("pipeline_id", self._account.pipelines[0]) not in self._account.pipelines:
            raise Refusal(400, "NotSupportedChoice", "pipeline_id: there is no such pipeline")

    def _apply(self, source: Source, body: JsonBody) -> None:
        source.name = body.get("name", source.name)
        source.pipeline_id = body.get("pipeline_id", source.pipeline_id)
        source.services = body.get("services", source.services)
        if body.get("default"):
            for other in self._all():
                other.default = False
        source.default = body.get("default", source.default)


def _check(shape: Any, body: object) -> None:
    problems = list(shape(body, ""))
    if problems:
        detail = "; ".join(str(problem) for problem in problems)
        raise Refusal(400, problems[0].code, detail)


def _shown(source: Source) -> dict[str, object]:
    return {
        "id": source.id, "name": source.name, "pipeline_id": source.pipeline_id,
        "external_id": source.external_id, "services": source.services,
        "default": source.default, "origin_code": None,
    }  # fmt: skip
