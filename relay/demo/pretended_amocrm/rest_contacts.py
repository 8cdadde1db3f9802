"""REST API v4: contacts, their telephone numbers, and the chats of contacts.

Source: amoCRM developer documentation, "API v4": contacts, chats of contacts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay.demo.pretended_amocrm.call import Call, Reply
from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.rest_pages import hal, paged
from relay.demo.pretended_amocrm.state import Account, Contact, Phone

_PHONE_FIELD = 271_316
_ENUM_IDS = {"WORK": 1, "WORKDD": 2, "MOB": 3, "FAX": 4, "HOME": 5, "OTHER": 6}


class Contacts:
    """The cards of one account's contacts."""

    def __init__(self, account: Account, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms

    def list(self, call: Call, base_url: str) -> Reply:
        """``GET /contacts?query=…``."""
        wanted = call.query.get("query", "").casefold()
        found = [c for c in self._account.contacts.values() if wanted in _searched(c)]
        return paged(call, base_url, "contacts", [_contact(c) for c in found])

    def chats(self, call: Call, _: str) -> Reply:
        """``GET /contacts/chats?chat_id[]=…`` or ``?contact_id[]=…``: who stands behind a chat."""
        if call.header("Cookie"):
            raise Refusal(403, "Cookies", "chats of contacts are not for who has a session cookie")
        chat_id, contact_id = call.query.get("chat_id[]"), call.query.get("contact_id[]")
        links = [
            {"id": at, "contact_id": chat.contact_id, "chat_id": chat.id}
            for at, chat in enumerate(self._account.chats.values(), 1)
            if chat.contact_id is not None
            and chat_id in (None, chat.id)
            and contact_id in (None, str(chat.contact_id))
        ]
        return hal({"_embedded": {"chats": links}}) if links else Reply(204)

    def one(self, call: Call, _: str) -> Reply:
        """``GET`` and ``PATCH /contacts/{id}``."""
        contact = self._account.contacts.get(int(call.path.rpartition("/")[2]))
        if contact is None:
            raise Refusal(404, "NotFound", "no such contact")
        if call.method == "PATCH":
            _change(contact, call.json())
            contact.updated_ms = self._now_ms()
        elif call.method != "GET":
            raise Refusal(405, "Method", f"contact wants GET or PATCH, not {call.method}")
        return hal(_contact(contact))


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
