"""The chats API on paper: requests, their signatures, and the signatures of hooks. No I/O.

Source: amoCRM's developer documentation, "Chats API: how to work with it" (signature of requests),
"Chats API: methods" (paths and bodies), "Chats API: webhooks" (signature of hooks).
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import orjson

from relay.domain.values import value

CONTENT_TYPE: Final = "application/json"
"""Byte for byte what is signed and sent; amoCRM documents no other."""

STATUS_FIELD: Final = "status_code"
"""The name of the status in the body of ``delivery_status``.

UNCONFIRMED: the documentation's table and example say ``status_code``, its PHP sample and the
published libraries say ``delivery_status`` (then with ``msgid`` beside it).
"""

_BASE: Final = "/v2/origin/custom"
_HOOK_VERSION: Final = "v2"
_LINE_END: Final = b"\r\n"


class Call(enum.Enum):
    """Which method a request is for; what an answer means depends on it."""

    CONNECT = "connect"
    MESSAGE = "message"
    STATUS = "delivery_status"
    EDIT = "edit_message"
    REACT = "react"


@value
class Request:
    """A request before it is signed: the signature carries the moment of sending.

    ``path`` is quoted and has no query; ``body`` holds the very bytes that are hashed and sent.
    """

    call: Call
    method: str
    path: str
    body: bytes


def compact(value: Mapping[str, object]) -> bytes:
    """JSON without spaces, letters as they are, UTF-8; a lone surrogate becomes ``?``."""
    try:
        return orjson.dumps(value)
    except TypeError:  # a lone surrogate: a text that is no text, but somebody's message
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def connect(channel_id: str, account_id: str, title: str) -> Request:
    """Connect the channel to the account, with hooks of version 2 (the default would be 1).

    ``account_id`` is the account's amojo id. The reply window is switched off: it is a rule of
    the official WhatsApp. May be repeated at any time.
    """
    body = {
        "account_id": account_id,
        "title": title,
        "hook_api_version": _HOOK_VERSION,
        "is_time_window_disabled": True,
    }
    path = f"{_BASE}/{quote(channel_id, safe='')}/connect"
    return Request(Call.CONNECT, "POST", path, compact(body))


def new_message(scope_id: str, payload: Mapping[str, object]) -> Request:
    """Put a message into the account; ``payload`` as :mod:`relay.amocrm.translate` makes it."""
    body = compact({"event_type": "new_message", "payload": payload})
    return Request(Call.MESSAGE, "POST", _scope_path(scope_id), body)


def edit_message(scope_id: str, payload: Mapping[str, object]) -> Request:
    """Write a message of the account anew; ``payload`` names it by one of its ids."""
    body = compact({"event_type": "edit_message", "payload": payload})
    return Request(Call.EDIT, "POST", _scope_path(scope_id), body)


def react(scope_id: str, payload: Mapping[str, object]) -> Request:
    """Put an emoji on a message, or take it off. (A sample with the message's id in the path is
    a mistake of the documentation's.)
    """
    return Request(Call.REACT, "POST", f"{_scope_path(scope_id)}/react", compact(payload))


@lru_cache(maxsize=8)
def _scope_path(scope_id: str) -> str:
    return f"{_BASE}/{quote(scope_id, safe='')}"


def delivery_status(
    scope_id: str,
    crm_message_id: str,
    code: int,
    error_code: int | None = None,
    error: str | None = None,
    *,
    field: str = STATUS_FIELD,
) -> Request:
    """Tell what became of a message written in amoCRM, by amoCRM's own id of it.

    ``code``: 1 delivered, 2 read, −1 failed; with −1 both ``error_code`` and ``error`` are needed.
    """
    body: dict[str, object] = {} if field == "status_code" else {"msgid": crm_message_id}
    body[field] = code
    if error_code is not None:
        body |= {"error_code": error_code, "error": error or ""}
    message = quote(crm_message_id, safe="", errors="replace")
    path = f"{_scope_path(scope_id)}/{message}/delivery_status"
    return Request(Call.STATUS, "POST", path, compact(body))


def scope_of(channel_id: str, account_id: str) -> str:
    """The scope id that ``connect`` answers: documented as literally these two, joined."""
    return f"{channel_id}_{account_id}"


def date_header(now_ms: int) -> str:
    """The moment as amoCRM wants it in ``Date``: RFC 2822, ``… +0000``. Valid for 15 minutes."""
    return _date_of(now_ms // 1000)


@lru_cache(maxsize=2)
def _date_of(second: int) -> str:
    """Formatting costs more than the whole signature, and a second has many requests."""
    return format_datetime(datetime.fromtimestamp(second, UTC))


def sign(method: str, path: str, body: bytes, secret: str, date: str) -> dict[str, str]:
    """The four headers of a signed request.

    The MD5 is lowercase hex of the body's very bytes (not RFC 1864's base64); the signature is
    HMAC-SHA1 over method, MD5, content type, date and path without query, joined by newlines.
    """
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    signed = f"{method.upper()}\n{md5}\n{CONTENT_TYPE}\n{date}\n{path}"
    return {
        "Date": date,
        "Content-Type": CONTENT_TYPE,
        "Content-MD5": md5,
        "X-Signature": _hmac(secret, signed.encode()),
    }


def _hmac(secret: str, data: bytes) -> str:
    """Not by ``hmac.digest``: it is no quicker, and lets go of the interpreter each time, for
    which the loop then waits in line with the threads that keep files.
    """
    return hmac.new(secret.encode(), data, hashlib.sha1).hexdigest()


def sign_hook(body: bytes, secret: str) -> str:
    """The signature of a hook: HMAC-SHA1 over its body alone, lowercase hex."""
    return _hmac(secret, body)


def verify_hook(body: bytes, signature: str, secret: str) -> bool:
    """Whether amoCRM signed this hook, compared in constant time.

    A hook may end in a newline that was not signed (seen in the field), so the body counts as it
    came and without its trailing CR and LF.
    """
    given = signature.encode("utf-8", "surrogateescape")
    if hmac.compare_digest(sign_hook(body, secret).encode(), given):
        return True
    bare = body.rstrip(_LINE_END)
    return bare != body and hmac.compare_digest(sign_hook(bare, secret).encode(), given)
