"""Reads what a page wishes to change: its form alone; whether it may be is asked elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from relay.widget.book import BLACKLIST, Wish
from relay.widget.problems import ProblemError, Trouble

LONGEST_BODY: Final = 4 * 1024 * 1024
MOST_ENTRIES: Final = 200_000
MOST_USERS: Final = 5_000
LONGEST_NAME: Final = 64


async def read_wish(request: web.Request) -> Wish:
    """The wish in a request's body.

    Raises:
        ProblemError: it is too large, or no wish.
    """
    body = await _body(request)
    return await asyncio.to_thread(_read, body)  # a hundred thousand numbers take a while


def _read(body: bytes) -> Wish:
    said = _json(body)
    settings, users = _mapping(said, "settings"), _mapping(said, "users")
    version = said.get("version")
    if not isinstance(version, str) or said.keys() - {"version", "settings", "users"}:
        raise _bad("version, settings, users")
    if len(users) > MOST_USERS:
        raise ProblemError(Trouble.TOO_LARGE)
    for name, user in users.items():
        if not (user is None or isinstance(user, dict)) or len(name) > LONGEST_NAME:
            raise _bad("users")
    listed, unlisted = _entries(settings)
    rest = {name: value for name, value in settings.items() if name != BLACKLIST or value is None}
    return Wish(version, rest, users, listed, unlisted)


def _entries(settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What comes into the blacklist and what leaves it."""
    change = settings.get(BLACKLIST)
    if change is None:
        return [], []
    if not isinstance(change, dict) or change.keys() - {"add", "remove"}:
        raise _bad('blacklist: {"add": [], "remove": []}')
    found = [change.get("add") or [], change.get("remove") or []]
    for entries in found:
        if not isinstance(entries, list) or set(map(type, entries)) - {str}:
            raise _bad('blacklist: {"add": [], "remove": []}')
        if len(entries) > MOST_ENTRIES:
            raise ProblemError(Trouble.TOO_LARGE)
    return found[0], found[1]


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > LONGEST_BODY:
        raise ProblemError(Trouble.TOO_LARGE)
    return await request.read()


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad("JSON") from None
    if not isinstance(said, dict):
        raise _bad("{}")
    return said


def _mapping(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _bad(name)
    return found


def _bad(what: str) -> ProblemError:
    return ProblemError(Trouble.BAD_REQUEST, what)
