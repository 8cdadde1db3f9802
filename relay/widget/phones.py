"""``/widget/phones``: which numbers are on WhatsApp, for the buttons beside them.

``GET`` tells what is known, with its age, and asks nobody. ``POST`` asks WhatsApp now. A failure
leaves a state as it was, and is told beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson
from aiohttp import web

from relay.delivery.phones import Phones
from relay.delivery.ports import Clock
from relay.domain.phone_check import PhoneCheck
from relay.domain.retry import MINUTE, SECOND
from relay.domain.settings import Language
from relay.widget.gate import Call, Method
from relay.widget.limits import Allowance, Limits
from relay.widget.problems import JSON, ProblemError, Trouble

PATH: Final = "/widget/phones"
MOST: Final = 100
"""Numbers of one question."""

MOST_CHECKED: Final = 50
LONGEST: Final = 64
LONGEST_BODY: Final = 16 * 1024
PATIENCE_S: Final = 25.0
"""A reverse proxy mostly gives up after thirty."""

YOUNG_MS: Final = MINUTE
"""What WhatsApp has said so lately is not asked again, whoever clicks."""

CHECKS: Final = Allowance(at_once=MOST_CHECKED, a_second=0.1)
"""Numbers that one user may have checked: mass checks are a reason for a ban."""

_COULD_NOT: Final = {
    Language.RU: "Проверить не удалось. Попробуйте позже.",
    Language.EN: "It could not be checked. Try again later.",
}


class PhoneDesk:
    """Answers about numbers, while ``wanted`` (the setting ``phone_check``) says so."""

    def __init__(self, phones: Phones, clock: Clock, wanted: Callable[[], bool]) -> None:
        self._phones = phones
        self._clock = clock
        self._wanted = wanted
        self._limits = Limits(CHECKS)

    def methods(self) -> Sequence[Method]:
        """The methods of this desk."""
        return (Method("GET", PATH, self._known), Method("POST", PATH, self._checked))

    async def _known(self, call: Call) -> JSON:
        numbers = self._read(call.request.query.getall("phone", []))
        known = await self._phones.known(_found(numbers))
        return {"phones": self._told(numbers, known), "trouble": None}

    async def _checked(self, call: Call) -> JSON:
        numbers = self._read(await _named(call.request))
        asked = _found(numbers)
        if len(asked) > MOST_CHECKED:
            raise ProblemError(Trouble.TOO_LARGE, f"phone: {len(asked)} > {MOST_CHECKED}")
        known, now_ms = await self._phones.known(asked), self._clock.now_ms()
        old = [n for n in asked if now_ms - (known[n].checked_ms or 0) >= YOUNG_MS]
        trouble = None
        if old:
            wait_s = self._limits.take(call.user, now_ms, len(old))
            if wait_s is not None:
                raise ProblemError(Trouble.TOO_OFTEN, retry_after_s=wait_s)
            trouble = await self._ask(old)
            known = await self._phones.known(asked)
        words = _COULD_NOT[call.language] if trouble else None
        return {"phones": self._told(numbers, known), "trouble": words}

    async def _ask(self, numbers: Sequence[str]) -> bool:
        """Ask WhatsApp; whether something could not be found out."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                answers = await self._phones.ask(numbers, again=True)
        except TimeoutError:
            return True
        return answers.trouble is not None

    def _read(self, written: Sequence[str]) -> dict[str, str | None]:
        """Each number as it was asked for, and its digits; None where it is no number."""
        if not self._wanted():
            raise ProblemError(Trouble.CHECK_OFF)
        if not written:
            raise ProblemError(Trouble.BAD_REQUEST, "phone: ?")
        if len(written) > MOST or any(len(each) > LONGEST for each in written):
            raise ProblemError(Trouble.TOO_LARGE, f"phone: <= {MOST}")
        return {each: self._phones.number(each) for each in written}

    def _told(self, numbers: dict[str, str | None], known: dict[str, PhoneCheck]) -> list[JSON]:
        now_ms = self._clock.now_ms()
        return [
            _as_json(asked, number, known.get(number or "", PhoneCheck()), now_ms)
            for asked, number in numbers.items()
        ]


def _found(numbers: dict[str, str | None]) -> list[str]:
    return list(dict.fromkeys(number for number in numbers.values() if number is not None))


async def _named(request: web.Request) -> list[str]:
    """The numbers of a ``POST``: in its query, or in its body as JSON."""
    if (request.content_length or 0) > LONGEST_BODY:
        raise ProblemError(Trouble.TOO_LARGE)
    asked = list(request.query.getall("phone", []))
    body = await request.read()
    if len(body) > LONGEST_BODY:
        raise ProblemError(Trouble.TOO_LARGE)
    if not body:
        return asked
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProblemError(Trouble.BAD_REQUEST, "JSON?") from None
    match said:
        case {"phones": list(phones)} if all(isinstance(each, str) for each in phones):
            return [*asked, *phones]
        case _:
            raise ProblemError(Trouble.BAD_REQUEST, '{"phones": ["+7…"]}')


def _as_json(asked: str, number: str | None, check: PhoneCheck, now_ms: int) -> JSON:
    at_ms = check.checked_ms
    at = None if at_ms is None else datetime.fromtimestamp(at_ms / SECOND, UTC)
    return {
        "asked": asked,
        "number": None if number is None else f"+{number}",
        "state": check.state.value,
        "checked": None if at is None else at.isoformat(timespec="seconds"),
        "age_seconds": None if at_ms is None else max(0, now_ms - at_ms) // SECOND,
    }
