"""What an employee sees in a browser: cards and settings, with the widget that was uploaded.

The page behaves as amoCRM's does where a widget can tell: the module loader, the globals, the
observed structure of a card's fields, navigation without reloading, tokens for the own backend.
Sources: amoCRM developer documentation, "Widget SDK", "Disposable token"; the structure of fields
is as seen in the product, not documented.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from relay.demo.pretended_amocrm.call import Call, Reply, json_reply
from relay.demo.pretended_amocrm.identity import Identity
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.state import Account, Phone
from relay.demo.pretended_amocrm.widget_upload import read_archive

BASE: Final = "/ui/"

_FILES: Final = files("relay.demo.pretended_amocrm") / "ui"
_KINDS: Final = {
    "html": "text/html", "css": "text/css", "js": "text/javascript", "json": "application/json",
    "png": "image/png",
}  # fmt: skip
_NO_STORE: Final = (("Cache-Control", "no-store"),)
_TOKEN_LIFE_S: Final = 30 * 60


class Ui:
    """The web face of one account. ``token_audience`` is the origin of the integration."""

    def __init__(
        self,
        account: Account,
        identity: Identity,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self.token_audience = ""
        self._account = account
        self._identity = identity
        self._now_ms = now_ms
        self._new_id = new_id
        self._widget: dict[str, bytes] = {}
        self._settings: dict[str, object] = {}

    def upload_widget(self, archive: bytes) -> None:
        """An administrator uploads the widget's archive.

        Raises:
            Refusal: amoCRM would not take it, or its version has not grown.
        """
        found = read_archive(archive)
        version, before = _version(found), _version(self._widget) if self._widget else (0,)
        if version <= before:
            raise Refusal(400, "WidgetVersion", "the version must grow with each upload")
        self._widget = found

    def answer(self, call: Call, base_url: str) -> Reply:
        """Answer a request below ``/ui/``."""
        try:
            return self._answer(call, base_url)
        except Refusal as refusal:
            return json_reply(refusal.status, {"error": refusal.detail})

    def _answer(self, call: Call, base_url: str) -> Reply:
        name = call.path.removeprefix(BASE)
        if name == "state":
            return json_reply(200, self._state())
        if name == "token":
            return json_reply(200, {"token": self._token(call, base_url)})
        if name == "settings" and call.method == "POST":
            self._settings = dict(_fields(call.json()))
            return json_reply(200, {})
        if name == "phones" and call.method == "POST":
            self._save_phones(_fields(call.json()))
            return json_reply(200, {})
        if name.startswith("widget/"):
            return _file(name, self._widget.get(name.removeprefix("widget/")))
        page = _FILES / (name or "index.html")
        return _file(page.name, page.read_bytes() if page.is_file() else None)

    def _state(self) -> dict[str, object]:
        account = self._account
        return {
            "account": {
                "id": account.id, "amojo_id": account.amojo_id, "name": account.name,
                "subdomain": account.subdomain,
            },
            "users": [
                {"id": user.id, "name": user.name, "amojo_id": user.amojo_id,
                 "is_admin": user.is_admin}
                for user in account.users
            ],
            "contacts": [
                {"id": contact.id, "name": contact.name,
                 "phones": [phone.value for phone in contact.phones]}
                for contact in account.contacts.values()
            ],
            "widget": {"installed": bool(self._widget), "settings": self._settings},
        }  # fmt: skip

    def _token(self, call: Call, base_url: str) -> str:
        """The one-time token of ``$authorizedAjax``: HS256, the key is the integration's secret."""
        user_id = int(call.query.get("user", "0"))
        now_s = self._now_ms() // 1000
        claims = {
            "iss": base_url, "aud": self.token_audience, "jti": self._new_id(),
            "iat": now_s, "nbf": now_s, "exp": now_s + _TOKEN_LIFE_S,
            "account_id": self._account.id, "user_id": self._account.user(user_id).id,
            "subdomain": self._account.subdomain, "client_uuid": self._identity.integration_id,
        }  # fmt: skip
        return signed_token(claims, self._identity.integration_secret)

    def _save_phones(self, fields: dict[str, object]) -> None:
        contact = self._account.contacts[int(str(fields["contact"]))]
        phones = fields.get("phones")
        if not isinstance(phones, list):
            raise Refusal(400, "WrongType", "phones must be an array")
        contact.phones = [Phone(str(phone)) for phone in phones]
        contact.updated_ms = self._now_ms()


def signed_token(claims: dict[str, object], secret: str, *, alg: str = "HS256") -> str:
    """A JWT with these claims."""
    head = _base64({"typ": "JWT", "alg": alg})
    body = f"{head}.{_base64(claims)}"
    seal = hmac.digest(secret.encode(), body.encode(), hashlib.sha256)
    return f"{body}.{_base64_of(seal)}"


def _base64(value: object) -> str:
    return _base64_of(json.dumps(value, separators=(",", ":")).encode())


def _base64_of(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _fields(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Refusal(400, "WrongType", "expected an object")
    return value


def _file(name: str, content: bytes | None) -> Reply:
    kind = _KINDS.get(name.rpartition(".")[2])
    if content is None or kind is None:
        return Reply(404)
    text = "" if kind.startswith("image/") else "; charset=utf-8"
    return Reply(200, content, kind + text, _NO_STORE)


def _version(found: dict[str, bytes]) -> tuple[int, ...]:
    version = json.loads(found["manifest.json"])["widget"]["version"]
    return tuple(int(part) for part in version.split("."))
