"""``relay phone``: whether a number is on WhatsApp, asked of the running relay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from relay.app.phones import PHONE_ROUTE
from relay.cli.control import Answer, StatusError, ask

_TIMEOUT_S = 70.0  # above the longest asking
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class PhoneWish:
    """A number as somebody wrote it; ``again``: ask WhatsApp even if it is known."""

    phone: str
    channel: str | None = None
    again: bool = False


def ask_phone(storage: Path, wish: PhoneWish) -> Answer:
    """What the running relay knows of a number.

    Raises:
        StatusError: no relay runs there, it does not answer, or that is not a number.
    """
    query = {"phone": wish.phone, "again": "1" if wish.again else "0"}
    if wish.channel is not None:
        query["channel"] = wish.channel
    route = f"{PHONE_ROUTE}?{urlencode(query)}"
    status, answer = asyncio.run(ask(storage, "GET", route, _TIMEOUT_S))
    if "error" in answer:
        raise StatusError(f"{wish.phone}: {answer['error']}" if status == 400 else answer["error"])
    return answer


def phone_text(answer: Answer) -> str:
    """The answer for a person."""
    age = answer["age_seconds"]
    since = f", found out {_age(age)} ago" if isinstance(age, int) else ""
    return f"{answer['phone']}: {answer['state']}{since}"


def _age(seconds: int) -> str:
    for unit, length in _UNITS:
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "0 seconds"
