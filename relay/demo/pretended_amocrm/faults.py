"""Trouble on order: what the server does instead of behaving, for which requests and how often.

A server that is *down* is not here: that is `PretendedAmoCRM.go_down`, which closes the door.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from relay.demo.pretended_amocrm.state import Message


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this without looking at the request, as a balancer in front would."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; the connection stays open until the client or the server leaves."""


@dataclass(frozen=True, slots=True)
class Slow:
    """Wait before doing anything: until `until` is set, or `seconds`; then go on with `then`."""

    seconds: float = 0.0
    until: asyncio.Event | None = None
    then: Effect | None = None


@dataclass(frozen=True, slots=True)
class Lie:
    """Do the work, and let the client not know it."""

    then: Reset | Hang | Answer = field(default_factory=Reset)


@dataclass(frozen=True, slots=True)
class BeforeAnswer:
    """Do the work, then `act` on the message accepted, and only then answer.

    With `PretendedAmoCRM.echo` this is the hook that overtakes the answer to the POST.
    """

    act: Callable[[Message], Awaitable[object]]


Effect = Answer | Reset | Hang | Slow | Lie | BeforeAnswer


def garbage() -> Answer:
    """A 200 whose body is no JSON."""
    return Answer(200, b"<html><body>Bad gateway</body></html>", "text/html")


def too_many(retry_after: int | None = None) -> Answer:
    """A 429; `retry_after` in seconds goes into the body, as Kommo describes it."""
    body: dict[str, object] = {"title": "Too Many Requests", "status": 429}
    if retry_after is not None:
        body["retry_after"] = retry_after
    return Answer(429, json.dumps(body).encode())


@dataclass(slots=True, eq=False)
class Fault:
    """An effect in force. `where` is an endpoint's name or a pattern of paths (``*`` for all).

    `times` counts down the requests it will still hit; None means until it is removed.
    """

    effect: Effect
    where: str = "*"
    times: int | None = None
    hits: int = 0

    def fits(self, endpoint: str, path: str) -> bool:
        """Whether it hits a request to `endpoint` at `path`."""
        return self.times != 0 and (self.where == endpoint or fnmatchcase(path, self.where))


class Faults:
    """The faults in force; the first that fits a request is played, in the order they came."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._hits: Counter[str] = Counter()

    def add(self, effect: Effect, where: str = "*", times: int | None = None) -> Fault:
        """Put `effect` in force, for the next `times` requests or until it is removed.

        Endpoints: ``connect disconnect chats messages delivery_status history typing react``
        and ``account users contacts contact contacts_chats sources source oauth oauth_token``.
        """
        fault = Fault(effect, where, times)
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take one fault out of force; one already gone is no error."""
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Behave from now on."""
        self._faults.clear()

    def hits(self, endpoint: str) -> int:
        """How many requests to an endpoint have met a fault."""
        return self._hits[endpoint]

    def take(self, endpoint: str, path: str) -> Effect | None:
        """The effect for this request, counted; None if it is to be treated well."""
        for fault in self._faults:
            if fault.fits(endpoint, path):
                fault.hits += 1
                self._hits[endpoint] += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault.effect
        return None
