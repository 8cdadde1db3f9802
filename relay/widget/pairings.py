"""``/widget/pairings``: an administrator links a number from inside amoCRM.

A pairing is known by a random id that only whoever began it is told, and lives a few minutes. The
code goes to him alone, and into no log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from relay.delivery.ports import Clock
from relay.domain.ids import UserId
from relay.widget.book import Rights
from relay.widget.gate import Call, Method
from relay.widget.limits import Allowance, Limits
from relay.widget.pairing_words import words_for
from relay.widget.problems import JSON, ProblemError, Trouble

PATH: Final = "/widget/pairings"
LONGEST_BODY: Final = 1024

BEGINNINGS: Final = Allowance(at_once=5, a_second=1 / 60)
"""Of one user: WhatsApp refuses a number that is tried too often."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a number was not linked: a key of :mod:`relay.widget.pairing_words`, and what about it.

    ``about`` is a number or a channel; for what has no key, words.
    """

    why: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """The number that was linked, with the plus, and the name WhatsApp has for it."""

    own: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """How a pairing stands: ``starting``, ``waiting``, ``linked``, ``failed`` or ``ended``.

    ``qr``: the modules of the code, row by row; ``code``: letters to type.
    """

    id: str
    state: str
    qr: Sequence[str] | None = None
    code: str | None = None
    expires_seconds: int | None = None
    linked: Linked | None = None
    failure: Failure | None = None


class CannotPairError(Exception):
    """It cannot be begun."""

    def __init__(self, why: str, about: str = "") -> None:
        super().__init__(f"{why}: {about}")
        self.failure = Failure(why, about)


class Pairings(Protocol):
    """Who links numbers."""

    async def begin(self, channel: str, phone: str | None, user: UserId) -> Pairing:
        """Begin to link a number; ``phone``: the number that is to type letters, else a QR code.

        Raises:
            CannotPairError: there is no such channel, or somebody else links it.
        """
        ...

    def find(self, id_: str, user: UserId) -> Pairing | None:
        """A pairing that he began."""
        ...

    async def end(self, id_: str, user: UserId) -> Pairing | None:
        """End it, and leave the channel as it was."""
        ...


class PairingDesk:
    """Answers administrators who link numbers."""

    def __init__(
        self, pairings: Pairings, clock: Clock, rights: Callable[[UserId], Rights]
    ) -> None:
        self._pairings = pairings
        self._clock = clock
        self._rights = rights
        self._limits = Limits(BEGINNINGS)

    def methods(self) -> Sequence[Method]:
        """The methods of this desk."""
        one = f"{PATH}/{{id}}"
        return (
            Method("POST", PATH, self._begin),
            Method("GET", one, self._tell),
            Method("DELETE", one, self._end),
        )

    async def _begin(self, call: Call) -> JSON:
        self._administrators_only(call)
        channel, phone = _asked(await call.request.read())
        wait_s = self._limits.take(call.user, self._clock.now_ms())
        if wait_s is not None:
            raise ProblemError(Trouble.TOO_OFTEN, retry_after_s=wait_s)
        try:
            pairing = await self._pairings.begin(channel, phone, call.user)
        except CannotPairError as error:
            raise ProblemError(Trouble.PAIRING, _words(error.failure, call)) from None
        return _as_json(pairing, call)

    async def _tell(self, call: Call) -> JSON:
        self._administrators_only(call)
        return _found(self._pairings.find(call.request.match_info["id"], call.user), call)

    async def _end(self, call: Call) -> JSON:
        self._administrators_only(call)
        return _found(await self._pairings.end(call.request.match_info["id"], call.user), call)

    def _administrators_only(self, call: Call) -> None:
        if not self._rights(call.user).administrator:
            raise ProblemError(Trouble.RIGHTS)


def _asked(body: bytes) -> tuple[str, str | None]:
    if len(body) > LONGEST_BODY:
        raise ProblemError(Trouble.TOO_LARGE)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProblemError(Trouble.BAD_REQUEST, "JSON") from None
    match said:
        case {"channel": str(channel), "phone": str(phone)}:
            return channel, phone
        case {"channel": str(channel), **rest} if rest.get("phone") is None:
            return channel, None
        case _:
            raise ProblemError(Trouble.BAD_REQUEST, '{"channel": "…", "phone": null}')


def _found(pairing: Pairing | None, call: Call) -> JSON:
    if pairing is None:
        raise ProblemError(Trouble.GONE)
    return _as_json(pairing, call)


def _as_json(pairing: Pairing, call: Call) -> JSON:
    linked, failure = pairing.linked, pairing.failure
    return {
        "id": pairing.id,
        "state": pairing.state,
        "qr": None if pairing.qr is None else list(pairing.qr),
        "code": pairing.code,
        "expires_seconds": pairing.expires_seconds,
        "own": None if linked is None else linked.own,
        "name": None if linked is None else linked.name,
        "detail": None if failure is None else _words(failure, call),
    }


def _words(failure: Failure, call: Call) -> str:
    return words_for(failure.why, failure.about, call.language)
