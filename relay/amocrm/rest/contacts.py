"""The cards of contacts: who stands behind a chat, and the numbers in his card.

Source: REST API, "Contacts", "Chats of contacts". A PATCH of a field replaces all its values, and
the keys that tell a value's kind in words (``enum``) are for reading alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relay.amocrm.errors import NotFoundError
from relay.amocrm.rest.client import JsonObject, RestClient, entities
from relay.domain.contact_phones import PhoneValue
from relay.domain.ids import CrmChatId

_PHONE: Final = "PHONE"


async def contact_of(rest: RestClient, chat: CrmChatId) -> int | None:
    """The number of the contact that a chat is linked to; None if to none (yet).

    Raises:
        AmoCrmError: as the client does; ForbiddenError: the channel's registration does not name
            the integration, or the token is no administrator's.
    """
    answer = await rest.call("GET", "contacts/chats", [("chat_id[]", chat)], attempts=1)
    for link in entities(answer, "chats"):
        number = link.get("contact_id")
        if link.get("chat_id") == chat and isinstance(number, int):
            return number
    return None


async def read_phones(rest: RestClient, contact: int) -> list[PhoneValue] | None:
    """The numbers in the card; None if it is gone, or holds what must not be written back blindly.

    Raises:
        AmoCrmError: as the client does.
    """
    try:
        answer = await rest.call("GET", f"contacts/{contact}", attempts=1)
    except NotFoundError:
        return None
    fields = answer.get("custom_fields_values")
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict) and field.get("field_code") == _PHONE:
            return _values(field.get("values"))
    return [] if answer else None


async def write_phones(rest: RestClient, contact: int, values: Sequence[PhoneValue]) -> None:
    """Replace all numbers of the card by these.

    Raises:
        AmoCrmError: as the client does.
    """
    written = [_written(value) for value in values]
    field = {"field_code": _PHONE, "values": written}
    body = {"custom_fields_values": [field]}
    await rest.call("PATCH", f"contacts/{contact}", body=body, attempts=1)


def _values(said: object) -> list[PhoneValue] | None:
    values = said if isinstance(said, list) else []
    found = [_value(value) for value in values if isinstance(value, dict)]
    whole = [value for value in found if value is not None]
    return whole if len(whole) == len(values) else None


def _value(said: JsonObject) -> PhoneValue | None:
    value = said.get("value")
    kind = said.get("enum_id") or said.get("enum_code")
    if not isinstance(value, str) or not isinstance(kind, str | int | None):
        return None
    return PhoneValue(value, kind)


def _written(value: PhoneValue) -> JsonObject:
    match value.kind:
        case int(number):
            return {"value": value.value, "enum_id": number}
        case str(code):
            return {"value": value.value, "enum_code": code}
        case None:
            return {"value": value.value}
