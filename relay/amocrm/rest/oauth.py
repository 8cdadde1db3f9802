"""OAuth on paper: the address to open, what is exchanged for tokens, and what comes back. No I/O.

Source: amoCRM's and Kommo's documentation, "OAuth 2.0".
"""

from __future__ import annotations

import json
from dataclasses import field
from typing import Final
from urllib.parse import urlencode, urlsplit

from relay.amocrm.answers import Answer, parse
from relay.amocrm.credentials import OAuthClient
from relay.amocrm.errors import UnreachableError
from relay.domain.retry import SECOND
from relay.domain.values import value

EXCHANGE_PATH: Final = "/oauth2/access_token"

_MODE: Final = "popup"
"""How the page shows itself; with the other, ``post_message``, it wants a page that opened it."""

_PAGES: Final = {
    ".amocrm.ru": "https://www.amocrm.ru/oauth",
    ".kommo.com": "https://www.kommo.com/oauth",
}


@value
class Grant:
    """What an administrator's consent has given, as it is kept.

    ``consent`` stays the same through all renewals. ``renewing_ms``: when a renewal was begun whose
    answer was not seen, so that the refresh token may be spent.
    """

    consent: str
    client_id: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_ms: int
    expires_ms: int
    renewing_ms: int | None = None

    @property
    def renew_ms(self) -> int:
        """When to renew: at half its life, so that a failure has the other half to be mended in."""
        return (self.issued_ms + self.expires_ms) // 2


def page_address(account_url: str, client_id: str, state: str) -> str:
    """The page on which an administrator gives his consent."""
    host = urlsplit(account_url).hostname or ""
    page = next((url for domain, url in _PAGES.items() if host.endswith(domain)), None)
    query = urlencode({"client_id": client_id, "state": state, "mode": _MODE})
    return f"{page or account_url.rstrip('/') + '/oauth'}?{query}"


def code_body(client: OAuthClient, code: str) -> bytes:
    """The request that turns a code into tokens."""
    return _body(client, "authorization_code", "code", code)


def refresh_body(client: OAuthClient, refresh: str) -> bytes:
    """The request that turns a refresh token into new tokens; it may be made once."""
    return _body(client, "refresh_token", "refresh_token", refresh)


def _body(client: OAuthClient, kind: str, key: str, value: str) -> bytes:
    return json.dumps(
        {
            "client_id": client.id,
            "client_secret": client.secret,
            "grant_type": kind,
            key: value,
            "redirect_uri": client.redirect_uri,
        }
    ).encode()


def grant_of(answer: Answer, consent: str, client_id: str, now_ms: int) -> Grant:
    """The tokens in an answer of 200.

    Raises:
        UnreachableError: there are none in it, so it is not amoCRM's.
    """
    match parse(answer.body):
        case {
            "access_token": str(access),
            "refresh_token": str(refresh),
            "expires_in": int(seconds),
        } if _is_token(access) and _is_token(refresh) and 0 < seconds < 2**32:
            return Grant(
                consent=consent,
                client_id=client_id,
                access=access,
                refresh=refresh,
                issued_ms=now_ms,
                expires_ms=now_ms + seconds * SECOND,
            )
        case _:
            raise UnreachableError("the answer holds no tokens")


def _is_token(text: str) -> bool:
    """Whether it can stand in a header."""
    return bool(text) and text.isascii() and text.isprintable()
