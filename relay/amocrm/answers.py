"""What an answer of the chats API means: one table, read from the top. No I/O.

The documentation names 200, 400 (with details), 403 (bad signature) and 404; it says nothing of
rate limits and of the schema of errors, so these rows are UNCONFIRMED. The unknown is a retry: it
repeats the same ``msgid``, and amoCRM accepts no ``msgid`` twice.
"""

from __future__ import annotations

import contextlib
import enum
import json
import re
from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import Final

import orjson

from relay.amocrm.protocol import Call
from relay.domain.ids import CrmChatId
from relay.domain.outbox import Dead, Delivered, Outcome, Retry
from relay.domain.retry import MINUTE, SECOND
from relay.domain.values import value

LONGEST_WAIT_MS: Final = 5 * MINUTE
"""No ``Retry-After`` counts for more: it is the ladder's own last step."""

LONGEST_REASON: Final = 200
"""Characters of an answer's explanation that are kept."""

SHORTEST_PRIVATE: Final = 3
"""Shorter texts are not cut out of a reason: they would be found in every word."""

_BEGINNING: Final = 12
"""So many first characters of a private text are enough to recognise a shortened quotation."""

_SEEN = re.compile(r"already|duplicate|exists|not unique|repeated", re.IGNORECASE)
"""UNCONFIRMED: the words of an answer to a ``msgid`` that amoCRM has seen before."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_TELLING: Final = (
    "code", "error_code", "error_type", "error", "title", "detail", "error_description",
    "message", "path", "errors", "validation-errors",
)  # fmt: skip
"""UNCONFIRMED: the keys under which an error explains itself; others may echo the request."""


@value
class Answer:
    """An answer as it came, its body cut at the client's limit."""

    status: int
    body: bytes
    date: str | None = None
    retry_after: str | None = None


class Alarm(enum.Enum):
    """What an answer says about us rather than about the message."""

    CREDENTIALS = "credentials"  # secret, clock or channel id: an operator must look
    CHANNEL = "channel"  # amoCRM does not know the channel: connect again


@value
class Verdict:
    """What an answer means for its letter, and what it says about us."""

    outcome: Outcome
    alarm: Alarm | None = None


class Sign(enum.Enum):
    """What the body must show for a row to apply."""

    ANY = enum.auto()
    ACCEPTED = enum.auto()  # the documented answer to a success
    SEEN = enum.auto()  # amoCRM has our msgid already


@value
class Row:
    """One row of the table: the first that fits an answer decides."""

    calls: frozenset[Call]
    statuses: range
    sign: Sign
    fate: type[Delivered | Retry | Dead]
    alarm: Alarm | None = None


def _only(status: int) -> range:
    return range(status, status + 1)


_ALL = frozenset(Call)
_MESSAGE = frozenset({Call.MESSAGE})
_NAMED = frozenset({Call.STATUS, Call.REACT})  # calls that name a message in amoCRM

TABLE: Final[tuple[Row, ...]] = (
    #   call      status           body           fate       alarm
    Row(_ALL,     range(200, 300), Sign.ACCEPTED, Delivered),
    Row(_ALL,     range(200, 300), Sign.ANY,      Retry),  # a proxy's page: nobody accepted it
    Row(_MESSAGE, _only(400),      Sign.SEEN,     Delivered),  # UNCONFIRMED: a repeated msgid
    Row(_MESSAGE, _only(409),      Sign.SEEN,     Delivered),  # UNCONFIRMED: HTTP's own word
    Row(_ALL,     _only(400),      Sign.ANY,      Dead),
    Row(_ALL,     _only(401),      Sign.ANY,      Retry, Alarm.CREDENTIALS),  # UNCONFIRMED
    Row(_ALL,     _only(403),      Sign.ANY,      Retry, Alarm.CREDENTIALS),
    Row(_NAMED,   _only(404),      Sign.ANY,      Dead),  # the message is unknown
    Row(_ALL,     _only(404),      Sign.ANY,      Retry, Alarm.CHANNEL),
    Row(_ALL,     range(1000),     Sign.ANY,      Retry),  # 429, 5xx and whatever else
)  # fmt: skip


def decipher(call: Call, answer: Answer, msgid: str = "", private: Iterable[str] = ()) -> Verdict:
    """What the answer means. ``Delivered.reference`` is amoCRM's id (for connect, the scope id).

    ``msgid`` is our id of the message; ``private`` are texts that must not get into a reason.
    """
    said = parse(answer.body)
    row = next(row for row in TABLE if _fits(row, call, answer, said, msgid))
    if row.fate is Delivered:
        return Verdict(Delivered(_reference(call, said), _chat(call, said)), row.alarm)
    reason = f"amoCRM answered {answer.status}: {_reason(said, answer.body, private)}"
    if row.fate is Dead:
        return Verdict(Dead(reason), row.alarm)
    return Verdict(Retry(reason, after_ms(answer, said)), row.alarm)


def parse(body: bytes) -> object:
    """The JSON of an answer; None if it is none."""
    with contextlib.suppress(ValueError):
        return orjson.loads(body)
    try:
        return json.loads(body)  # takes what the other does not: lone surrogates, UTF-16, NaN
    except (ValueError, RecursionError):
        return None


def _fits(row: Row, call: Call, answer: Answer, said: object, msgid: str) -> bool:
    if call not in row.calls or answer.status not in row.statuses:
        return False
    match row.sign:
        case Sign.ANY:
            return True
        case Sign.ACCEPTED:
            return _accepted(call, answer.body, said)
        case Sign.SEEN:
            return _seen(answer.body.decode("utf-8", "replace"), msgid)


def _accepted(call: Call, body: bytes, said: object) -> bool:
    """Lenient, for shapes differ between pages: but a stranger's page must not pass for a yes."""
    match call:
        case Call.STATUS | Call.EDIT | Call.REACT:  # UNCONFIRMED: what an edit is answered
            return not body.strip() or isinstance(said, dict)
        case Call.MESSAGE:
            named = isinstance(said, dict) and isinstance(said.get("new_message"), dict)
            return named or _reference(call, said) is not None
        case Call.CONNECT:
            return _reference(call, said) is not None


def _seen(text: str, msgid: str) -> bool:
    names_it = "msgid" in text.lower() or (msgid != "" and msgid in text)
    return names_it and _SEEN.search(text) is not None


def _reference(call: Call, said: object) -> str | None:
    if call is Call.STATUS or not isinstance(said, dict):
        return None
    if call is Call.CONNECT:
        return _word(said.get("scope_id"))
    inner = said.get("new_message")
    return _word((inner if isinstance(inner, dict) else said).get("msgid"))


def _chat(call: Call, said: object) -> CrmChatId | None:
    """AmoCRM's chat, where it tells it. UNCONFIRMED: one of its pages shows our own id there."""
    inner = said.get("new_message") if isinstance(said, dict) else None
    chat = inner.get("conversation_id") if isinstance(inner, dict) else None
    told = call is Call.MESSAGE and isinstance(chat, str) and _UUID.fullmatch(chat)
    return CrmChatId(chat) if told and isinstance(chat, str) else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _reason(said: object, body: bytes, private: Iterable[str]) -> str:
    """What the answer explains, on one line, without the texts that are nobody's business."""
    words = body.decode("utf-8", "replace") if said is None else ", ".join(_explained(said))
    words = " ".join(words.split())
    for text in private:
        bare = " ".join(text.split())
        if len(bare) >= SHORTEST_PRIVATE:
            for form in (bare, json.dumps(bare, ensure_ascii=False)[1:-1], json.dumps(bare)[1:-1]):
                words = _without(words, form)
    return words[:LONGEST_REASON] or "no explanation"


def _without(words: str, text: str) -> str:
    """The words without the text; where only its beginning is quoted, they end there."""
    words = words.replace(text, "…")
    if len(text) > _BEGINNING and text[:_BEGINNING] in words:
        words = words.partition(text[:_BEGINNING])[0] + "…"
    return words


def _explained(value: object, depth: int = 8) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for key in _TELLING:
            yield from _explained(value.get(key), depth - 1)
    elif isinstance(value, list):
        for item in value[:5]:
            yield from _explained(item, depth - 1)
    elif isinstance(value, str | int) and str(value):
        yield str(value)


def after_ms(answer: Answer, said: object) -> int | None:
    """When amoCRM says to come back: the header (seconds or a date) or ``retry_after``, bounded."""
    told = answer.retry_after
    seconds = _seconds(told) if told is not None else None
    if seconds is None and told is not None:
        seconds = _until(told, answer.date)
    if seconds is None and isinstance(said, dict):
        seconds = _seconds(said.get("retry_after"))
    if seconds is None:
        return None
    return round(min(max(seconds, 1) * SECOND, LONGEST_WAIT_MS))


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if seconds == seconds else None  # noqa: PLR0124 - only NaN differs from itself


def _until(told: str, date: str | None) -> float | None:
    """Seconds between two moments of amoCRM's own clock, so that ours does not matter."""
    try:
        return (parsedate_to_datetime(told) - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError):
        return None
