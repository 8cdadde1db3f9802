"""amoCRM's signatures, read from its documents a second time, apart from the relay's own reading.

Source: amoCRM developer documentation, "Chats API", headers and signature of requests; "Chats API
webhooks", signature.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime

from relay.demo.pretended_amocrm.refusal import Refusal

VALID_FOR_MS = 15 * 60 * 1000
"""How far a request's ``Date`` may lie from the server's clock, in milliseconds."""

CONTENT_TYPE = "application/json"
_SIGNED = ("content-md5", "content-type", "date")
_RFC_2822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})"
)


def md5_of(body: bytes) -> str:
    """``Content-MD5`` as amoCRM wants it: lower-case hex, not the base64 of RFC 1864."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def signature_of(
    secret: str, method: str, path: str, *, content_md5: str, content_type: str, date: str
) -> str:
    """``X-Signature`` of a request; `path` has no host and no query."""
    text = "\n".join([method.upper(), content_md5, content_type, date, path])
    return hmac.new(secret.encode("ascii"), text.encode(), hashlib.sha1).hexdigest()


def hook_signature_of(secret: str, body: bytes) -> str:
    """``X-Signature`` of a hook: over the body alone."""
    return hmac.new(secret.encode("ascii"), body, hashlib.sha1).hexdigest()


class RequestSignature:
    """Judges the four headers of one channel's requests."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def check(
        self,
        method: str,
        raw_target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        now_ms: int,
    ) -> None:
        """Raise Refusal unless the request is signed as the documents say.

        `raw_target` is the path as it came, with its query; `now_ms` the server's clock in
        milliseconds since the epoch.
        """
        given = _once(headers)
        if given["content-type"] != CONTENT_TYPE:
            detail = f"Content-Type must be exactly {CONTENT_TYPE}, not {given['content-type']!r}"
            raise Refusal(400, "ContentType", detail)
        _check_md5(given["content-md5"], body)
        _check_date(given["date"], now_ms)
        self._check_signature(method, raw_target, given)

    def _check_signature(self, method: str, raw_target: str, given: dict[str, str]) -> None:
        path = raw_target.partition("?")[0]
        if hmac.compare_digest(self._expected(method, path, given), given["x-signature"]):
            return
        detail = "X-Signature does not fit secret, method, headers and path"
        if self._expected(method, raw_target, given) == given["x-signature"]:
            detail = "the query was signed; only the path may be"
        raise Refusal(403, "Signature", detail)

    def _expected(self, method: str, path: str, given: dict[str, str]) -> str:
        md5, content_type, date = (given[name] for name in _SIGNED)
        return signature_of(
            self.secret, method, path, content_md5=md5, content_type=content_type, date=date
        )


def _once(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key in given and key in (*_SIGNED, "x-signature"):
            raise Refusal(403, "HeaderTwice", f"{name} is given twice")
        given[key] = value
    for key in (*_SIGNED, "x-signature"):
        if key not in given:
            raise Refusal(403, "HeaderMissing", f"{key} is missing")
        if not given[key].isascii():
            raise Refusal(403, "HeaderNotAscii", f"{key} is not ASCII")
    return given


def _check_md5(given: str, body: bytes) -> None:
    expected = md5_of(body)
    if given != expected:
        raise Refusal(403, "ContentMd5", f"Content-MD5 is {given!r}, the body's is {expected!r}")


def _check_date(given: str, now_ms: int) -> None:
    age_ms = now_ms - int(_parsed(given).timestamp() * 1000)
    if age_ms > VALID_FOR_MS:
        raise Refusal(403, "DateTooOld", f"Date is {age_ms // 1000} s in the past")
    if age_ms < -VALID_FOR_MS:
        raise Refusal(403, "DateTooNew", f"Date is {-age_ms // 1000} s in the future")


def _parsed(given: str) -> datetime:
    if _RFC_2822.fullmatch(given):
        try:
            return parsedate_to_datetime(given)
        except ValueError:
            pass  # the form was right, the numbers were not: told below with the same words
    raise Refusal(403, "DateForm", f"Date {given!r} is not RFC 2822")
