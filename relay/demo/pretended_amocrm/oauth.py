"""OAuth: consent, codes that live twenty minutes, and tokens that are renewed once.

Source: amoCRM developer documentation, "OAuth 2.0".
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from relay.demo.pretended_amocrm.call import Call, Reply, json_reply
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.state import JsonBody

PAGE = "/oauth"
EXCHANGE = "/oauth2/access_token"

_CODE_MS = 20 * 60_000
_ACCESS_S = 86_400
_REFRESH_MS = 90 * 86_400_000
_COMMON = {"client_id", "client_secret", "grant_type", "redirect_uri"}


@dataclass(slots=True)
class Grant:
    """A pair of tokens as it was handed out. `spent` once the refresh token was used."""

    access: str
    refresh: str
    issued_ms: int
    spent: bool = False


class OAuth:
    """The consent page and the exchange of one integration.

    `consent` is what the administrator does on the page; `old_access_lives` whether an access
    token outlives its renewal (UNCONFIRMED; the harder reading is that it does not).
    """

    def __init__(self, client_id: str, client_secret: str, now_ms: Callable[[], int]) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.redirect_uri = ""
        self.referer = ""
        self.consent: Literal["given", "refused"] = "given"
        self.old_access_lives = False
        self.grants: list[Grant] = []
        self._now_ms = now_ms
        self._codes: dict[str, int] = {}

    def opens(self, access: str) -> bool:
        """Whether an access token is good now."""
        now_ms = self._now_ms()
        return any(
            hmac.compare_digest(grant.access, access)
            and now_ms < grant.issued_ms + _ACCESS_S * 1000
            and (not grant.spent or self.old_access_lives)
            for grant in self.grants
        )

    def revoke(self) -> None:
        """The administrator takes his consent back."""
        self.grants.clear()

    def give_code(self) -> str:
        """An administrator has consented: a code for the redirect address."""
        code = "def50200" + secrets.token_hex(64)
        self._codes[code] = self._now_ms() + _CODE_MS
        return code

    def page(self, call: Call) -> Reply:
        """``GET /oauth``: the administrator has looked at the page, and leaves it."""
        if call.query.get("client_id") != self.client_id:
            raise Refusal(404, "IntegrationUnknown", "no integration has this client_id")
        if call.query.get("mode") not in ("popup", "post_message"):
            raise Refusal(400, "Mode", "mode must be popup or post_message")
        back = {"state": call.query.get("state", ""), "referer": self.referer, "platform": "1"}
        if self.consent == "refused":
            back["error"] = "access_denied"
        else:
            back["code"] = self.give_code()
        return Reply(302, headers=(("Location", f"{self.redirect_uri}?{urlencode(back)}"),))

    def exchange(self, call: Call) -> Reply:
        """``POST /oauth2/access_token``: a code or a refresh token for a pair of tokens."""
        body = call.json()
        if not isinstance(body, dict) or not all(isinstance(v, str) for v in body.values()):
            raise Refusal(400, "WrongType", "the body must be an object of strings")
        kind = body.get("grant_type")
        own = {"authorization_code": "code", "refresh_token": "refresh_token"}.get(str(kind))
        if own is None or body.keys() != _COMMON | {own}:
            raise Refusal(400, "FieldMissing", f"wanted {sorted(_COMMON)} and code or token")
        if body["client_id"] != self.client_id or body["client_secret"] != self.client_secret:
            raise Refusal(401, "ClientUnknown", "client_id or client_secret is wrong")
        if body["redirect_uri"] != self.redirect_uri:
            raise Refusal(400, "RedirectUri", "redirect_uri is not the registered one")
        if kind == "authorization_code":
            self._take_code(body)
        else:
            self._take_refresh(body)
        return self._issue()

    def _take_code(self, body: JsonBody) -> None:
        until_ms = self._codes.pop(body["code"], None)
        if until_ms is None or until_ms <= self._now_ms():
            raise Refusal(400, "CodeInvalid", "the authorization code has expired or was used")

    def _take_refresh(self, body: JsonBody) -> None:
        for grant in self.grants:
            if not hmac.compare_digest(grant.refresh, body["refresh_token"]):
                continue
            if grant.spent or self._now_ms() >= grant.issued_ms + _REFRESH_MS:
                break
            grant.spent = True
            return
        raise Refusal(401, "TokenInvalid", "the refresh token has expired, was used or revoked")

    def _issue(self) -> Reply:
        grant = Grant(_token(), "def50200" + secrets.token_hex(64), self._now_ms())
        self.grants.append(grant)
        return json_reply(
            200,
            {
                "token_type": "Bearer",
                "expires_in": _ACCESS_S,
                "server_time": self._now_ms() // 1000,
                "access_token": grant.access,
                "refresh_token": grant.refresh,
            },
        )


def _token() -> str:
    """As long as amoCRM's, and like those of three parts."""
    return ".".join(secrets.token_urlsafe(size) for size in (60, 300, 250))
