"""REST API v4 as far as the relay needs it: account, users, contacts and the chats of contacts.

Source: amoCRM developer documentation, "API v4": account, users, contacts, limits, errors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from relay.demo.pretended_amocrm.call import Call, Reply, json_reply
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.state import Account, Contact, Phone, User

BASE = "/api/v4/"
_HAL = "application/hal+json"
_PROBLEM = "application/problem+json"
_LONGEST_PAGE = 250
_PHONE_FIELD = 271_316
_ENUM_IDS = {"WORK": 1, "WORKDD": 2, "MOB": 3, "FAX": 4, "HOME": 5, "OTHER": 6}


def endpoint_of(path: str) -> str | None:
    """The endpoint a path names, or None if it names none."""
    rest = path.removeprefix(BASE)
    if not path.startswith(BASE):
        return None
    if rest in ("account", "users", "contacts"):
        return rest
    if rest == "contacts/chats":
        return "contacts_chats"
    return "contact" if rest.startswith("contacts/") and rest[9:].isdigit() else None


class RestApi:
    """Answers REST requests from one account.

    `token` and `token_is_admin` may be changed at run time, as an administrator would;
    `limit_rps` is the number of requests taken within any one second, None for no limit.
    """

    def __init__(
        self, account: Account, now_ms: Callable[[], int], token: str, *, token_is_admin: bool
    ) -> None:
        self.account = account
        self.token = token
        self.token_is_admin = token_is_admin
        self.limit_rps: int | None = None
        self.base_url = ""
        self._now_ms = now_ms
        self._taken_ms: deque[int] = deque()

    def answer(self, call: Call) -> Reply:
        """Carry a request out. Raises Refusal if amoCRM would not."""
        endpoint = endpoint_of(call.path)
        if endpoint is None:
            raise Refusal(404, "PathUnknown", f"no method has the path {call.path}")
        if call.header("Authorization") != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized", "the bearer token is missing or wrong")
        self._count()
        if endpoint == "contact":
            return self._contact(call)
        if call.method != "GET":
            raise Refusal(405, "Method", f"{endpoint} wants GET, not {call.method}")
        reads = {
            "account": self._account, "users": self._users,
            "contacts": self._contacts, "contacts_chats": self._contacts_chats,
        }  # fmt: skip
        return reads[endpoint](call)

    def refused(self, refusal: Refusal) -> Reply:
        """The answer to a refused request, ``application/problem+json``."""
        problem: dict[str, object] = {
            "title": refusal.code,
            "type": f"https://httpstatus.es/{refusal.status}",
            "status": refusal.status,
            "detail": refusal.detail,
        }
        if refusal.status == 429:
            problem["retry_after"] = 1
        return json_reply(refusal.status, problem, _PROBLEM)

    def _count(self) -> None:
        if self.limit_rps is None:
            return
        now_ms = self._now_ms()
        while self._taken_ms and self._taken_ms[0] <= now_ms - 1000:
            self._taken_ms.popleft()
        if len(self._taken_ms) >= self.limit_rps:
            raise Refusal(429, "TooManyRequests", f"more than {self.limit_rps} within a second")
        self._taken_ms.append(now_ms)

    def _account(self, call: Call) -> Reply:
        account: dict[str, object] = {
            "id": self.account.id,
            "name": self.account.name,
            "subdomain": self.account.subdomain,
            "current_user_id": self.account.users[0].id,
            "country": "RU",
        }
        if "amojo_id" in _with(call):
            account["amojo_id"] = self.account.amojo_id
        return json_reply(200, account, _HAL)

    def _users(self, call: Call) -> Reply:
        if not self.token_is_admin:
            raise Refusal(403, "Forbidden", "the list of users is for administrators")
        page, limit = _page(call)
        shown = self.account.users[(page - 1) * limit : page * limit]
        if not shown:
            return Reply(204)
        amojo = "amojo_id" in _with(call)
        users = [_user(user, amojo=amojo) for user in shown]
        links = {"self": self._page_link(call, page, limit)}
        if page * limit < len(self.account.users):
            links["next"] = self._page_link(call, page + 1, limit)
        return json_reply(
            200, {"_page": page, "_links": links, "_embedded": {"users": users}}, _HAL
        )

    def _page_link(self, call: Call, page: int, limit: int) -> dict[str, str]:
        fields = call.query.get("with", "")
        return {"href": f"{self.base_url}{call.path}?with={fields}&page={page}&limit={limit}"}

    def _contacts(self, call: Call) -> Reply:
        wanted = call.query.get("query", "").casefold()
        found = [c for c in self.account.contacts.values() if wanted in _searched(c)]
        page, limit = _page(call)
        shown = [_contact(c) for c in found[(page - 1) * limit : page * limit]]
        return json_reply(200, {"_embedded": {"contacts": shown}}, _HAL) if shown else Reply(204)

    def _contacts_chats(self, call: Call) -> Reply:
        chat_id, contact_id = call.query.get("chat_id[]"), call.query.get("contact_id[]")
        links = [
            {"id": at, "contact_id": chat.contact_id, "chat_id": chat.id}
            for at, chat in enumerate(self.account.chats.values(), 1)
            if chat.contact_id is not None
            and chat_id in (None, chat.id)
            and contact_id in (None, str(chat.contact_id))
        ]
        return json_reply(200, {"_embedded": {"chats": links}}, _HAL) if links else Reply(204)

    def _contact(self, call: Call) -> Reply:
        contact = self.account.contacts.get(int(call.path.rpartition("/")[2]))
        if contact is None:
            raise Refusal(404, "NotFound", "no such contact")
        if call.method == "PATCH":
            _change(contact, call.json())
            contact.updated_ms = self._now_ms()
        elif call.method != "GET":
            raise Refusal(405, "Method", f"contact wants GET or PATCH, not {call.method}")
        return json_reply(200, _contact(contact), _HAL)


def _with(call: Call) -> list[str]:
    return call.query.get("with", "").split(",")


def _page(call: Call) -> tuple[int, int]:
    page, limit = call.query.get("page", "1"), call.query.get("limit", str(_LONGEST_PAGE))
    if not page.isdigit() or not limit.isdigit() or int(page) < 1:
        raise Refusal(400, "Page", "page and limit must be positive numbers")
    if not 1 <= int(limit) <= _LONGEST_PAGE:
        raise Refusal(400, "Page", f"limit is {limit}, not within 1..{_LONGEST_PAGE}")
    return int(page), int(limit)


def _user(user: User, *, amojo: bool) -> dict[str, object]:
    rights = {
        "is_admin": user.is_admin, "is_active": user.is_active, "group_id": 0, "role_id": None,
    }  # fmt: skip
    shown: dict[str, object] = {
        "id": user.id, "name": user.name, "email": user.email, "lang": "ru", "rights": rights,
    }  # fmt: skip
    return {**shown, "amojo_id": user.amojo_id} if amojo else shown


def _searched(contact: Contact) -> str:
    return " ".join([contact.name, *(phone.value for phone in contact.phones)]).casefold()


def _contact(contact: Contact) -> dict[str, object]:
    values = [
        {"value": phone.value, "enum_id": _ENUM_IDS[phone.enum_code], "enum_code": phone.enum_code,
         "enum": phone.enum_code}
        for phone in contact.phones
    ]  # fmt: skip
    phone_field = {
        "field_id": _PHONE_FIELD, "field_name": "Phone", "field_code": "PHONE",
        "field_type": "multitext", "values": values,
    }  # fmt: skip
    fields = [phone_field] if values else None
    return {
        "id": contact.id, "name": contact.name, "updated_at": contact.updated_ms // 1000,
        "custom_fields_values": fields,
    }  # fmt: skip


def _change(contact: Contact, body: object) -> None:
    """Apply a PATCH: a field that is named loses all its former values."""
    if isinstance(body, list):
        raise Refusal(405, "Method", "one contact is changed with an object, not an array")
    if not isinstance(body, dict) or not body:
        raise Refusal(400, "WrongType", "the body must be an object with a change")
    unknown = body.keys() - {"id", "name", "custom_fields_values"}
    if unknown:
        raise Refusal(400, "FieldNotExpected", f"{sorted(unknown)} cannot be changed here")
    phones = _phones(body["custom_fields_values"]) if "custom_fields_values" in body else None
    contact.name = body.get("name", contact.name)
    contact.phones = contact.phones if phones is None else phones


def _phones(fields: Any) -> list[Phone] | None:
    phones: list[Phone] | None = None
    for at, given in enumerate(fields if isinstance(fields, list) else [None]):
        path = f"custom_fields_values.{at}"
        if not isinstance(given, dict) or not isinstance(given.get("values"), list):
            raise Refusal(400, "WrongType", f"{path} must be an object with an array of values")
        if given.keys() - {"field_id", "field_code", "values"}:
            raise Refusal(400, "FieldNotExpected", f"{path} has a read-only key")
        if given.get("field_code") == "PHONE" or given.get("field_id") == _PHONE_FIELD:
            phones = [_phone(value, path) for value in given["values"]]
    return phones


def _phone(value: Any, path: str) -> Phone:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise Refusal(400, "WrongType", f"{path}.values must be objects with a string value")
    if value.keys() - {"value", "enum_id", "enum_code"}:
        raise Refusal(400, "FieldNotExpected", f"{path}.values has a read-only key")
    codes = {number: code for code, number in _ENUM_IDS.items()}
    code = value.get("enum_code") or codes.get(value.get("enum_id", _ENUM_IDS["WORK"]))
    if code not in _ENUM_IDS:
        raise Refusal(400, "NotSupportedChoice", f"{path}.values has an unknown kind")
    return Phone(value["value"], code)
