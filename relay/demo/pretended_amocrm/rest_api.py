"""REST API v4 and OAuth as far as the relay needs them: who may ask what, and how often.

Source: amoCRM developer documentation, "API v4": limits, errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from relay.demo.pretended_amocrm import oauth
from relay.demo.pretended_amocrm.call import Call, Reply, json_reply
from relay.demo.pretended_amocrm.oauth import OAuth
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.rest_contacts import Contacts
from relay.demo.pretended_amocrm.rest_limits import Limits
from relay.demo.pretended_amocrm.rest_people import People
from relay.demo.pretended_amocrm.rest_sources import Sources
from relay.demo.pretended_amocrm.state import Account

BASE = "/api/v4/"
_PROBLEM = "application/problem+json"
_LISTS = {
    "account": "account", "users": "users", "contacts": "contacts",
    "contacts/chats": "contacts_chats", "sources": "sources",
}  # fmt: skip
_ONES = {"contacts": "contact", "sources": "source"}
_OAUTH = {oauth.PAGE: "oauth", oauth.EXCHANGE: "oauth_token"}


def endpoint_of(path: str) -> str | None:
    """The endpoint a path names, or None if it names none."""
    if not path.startswith(BASE):
        return _OAUTH.get(path)
    rest = path.removeprefix(BASE)
    folder, _, number = rest.partition("/")
    return _LISTS.get(rest) or (_ONES.get(folder) if number.isdigit() else None)


@dataclass(frozen=True, slots=True)
class _Method:
    """What an endpoint takes, and who may."""

    act: Callable[[Call, str], Reply]
    verbs: tuple[str, ...] = ("GET",)
    administrators_only: bool = False


class RestApi:
    """Answers REST requests from one account.

    `token` and `token_is_admin` may be changed at run time, as an administrator would.
    """

    def __init__(
        self,
        account: Account,
        now_ms: Callable[[], int],
        token: str,
        oauth: OAuth,
        *,
        token_is_admin: bool,
    ) -> None:
        self.account = account
        self.token = token
        self.token_is_admin = token_is_admin
        self.oauth = oauth
        self.limits = Limits(now_ms)
        self.sources = Sources(account)
        self.base_url = ""
        people, contacts = People(account), Contacts(account, now_ms)
        several, single = ("GET", "POST", "PATCH"), ("GET", "PATCH", "DELETE")
        self._methods: Mapping[str, _Method] = {
            "account": _Method(people.account),
            "users": _Method(people.users, administrators_only=True),
            "contacts": _Method(contacts.list),
            "contact": _Method(contacts.one, single),
            "contacts_chats": _Method(contacts.chats, administrators_only=True),
            "sources": _Method(self.sources.many, several, administrators_only=True),
            "source": _Method(self.sources.one, single, administrators_only=True),
        }

    def answer(self, call: Call) -> Reply:
        """Carry a request out. Raises Refusal if amoCRM would not."""
        endpoint = endpoint_of(call.path)
        if endpoint == "oauth":
            return self.oauth.page(call)
        if endpoint == "oauth_token":
            return self.oauth.exchange(call)
        if endpoint is None:
            raise Refusal(404, "PathUnknown", f"no method has the path {call.path}")
        scheme, _, token = call.header("Authorization").partition(" ")
        if scheme != "Bearer" or not (token == self.token or self.oauth.opens(token)):
            raise Refusal(401, "Unauthorized", "the bearer token is missing or wrong")
        self.limits.count()
        method = self._methods[endpoint]
        if call.method not in method.verbs:
            wanted = " or ".join(method.verbs)
            raise Refusal(405, "Method", f"{endpoint} wants {wanted}, not {call.method}")
        if method.administrators_only and not self.token_is_admin:
            raise Refusal(403, "Forbidden", f"{endpoint} is for administrators")
        return method.act(call, self.base_url)

    def refused(self, refusal: Refusal) -> Reply:
        """The answer to a refused request, ``application/problem+json``."""
        problem: dict[str, object] = {
            "title": refusal.code,
            "type": f"https://httpstatus.es/{refusal.status}",
            "status": refusal.status,
            "detail": refusal.detail,
        }
        if refusal.status == 400:
            errors = [{"code": refusal.code, "path": "", "detail": refusal.detail}]
            problem["detail"] = "Request validation failed"
            problem["validation-errors"] = [{"request_id": "0", "errors": errors}]
        if refusal.status == 429:
            problem["retry_after"] = 1
        return json_reply(refusal.status, problem, _PROBLEM)
