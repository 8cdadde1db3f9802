"""The bodies of the chats API, field by field.

Source: amoCRM developer documentation, "Chats API", methods connect, disconnect, create chat,
new message, edit message, delivery status, typing, reaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relay.demo.pretended_amocrm.quirks import Quirks
from relay.demo.pretended_amocrm.shapes import (
    JsonObject,
    Problem,
    Rule,
    Shape,
    anything,
    array,
    boolean,
    choice,
    integer,
    link,
    number,
    one_of,
    record,
    string,
)

MESSAGE_TYPES = (
    "text", "contact", "file", "video", "picture", "voice", "audio", "sticker", "location",
)  # fmt: skip
ERROR_CODES = (901, 902, 903, 904, 905)

_SECONDS = integer(1_000_000_000, 9_999_999_999)
_MILLISECONDS = integer(1_000_000_000_000, 9_999_999_999_999)
_PROFILE = record({}, {"phone": string(), "email": string()})
_SOURCE = record({"external_id": string(longest=40, ascii_only=True)})


class Bodies:
    """The shape of each method's body, under one reading of the open questions."""

    def __init__(self, quirks: Quirks) -> None:
        message = _message(quirks)
        self._shapes: Mapping[str, Shape] = {
            "connect": record(
                {"account_id": string()},
                {
                    "hook_api_version": choice("v1", "v2"),
                    "title": string(),
                    "is_time_window_disabled": boolean,
                },
            ),
            "disconnect": record({"account_id": string()}),
            "chats": _create_chat(),
            "new_message": _event("new_message", _new_message(message, _party(quirks))),
            "edit_message": _event("edit_message", _edit_message()),
            "delivery_status": _delivery_status(quirks),
            "typing": record(
                {"conversation_id": string(), "sender": record({"id": string()})},
                {"duration_ms": integer(1)},
            ),
            "react": _reaction(),
        }

    def problems(self, method: str, body: object) -> list[Problem]:
        """Everything wrong with the body of `method`; empty if it is right."""
        return list(self._shapes[method](body, ""))


def _event(name: str, payload: Shape) -> Shape:
    return record({"event_type": choice(name), "payload": payload})


def _party(quirks: Quirks) -> Shape:
    rest = {
        "ref_id": string(), "avatar": link, "profile": _PROFILE, "profile_link": string(),
    }  # fmt: skip
    names = {"id": string(), "name": string()}
    if quirks.parties == "documented":
        return record(names, rest)
    return record({}, {**names, **rest}, one_of("id", "ref_id"))


def _create_chat() -> Shape:
    user = record(
        {"id": string(), "name": string()},
        {"avatar": link, "profile": _PROFILE, "profile_link": string()},
    )
    return record({"conversation_id": string(), "user": user}, {"source": _SOURCE})


def _new_message(message: Shape, party: Shape) -> Shape:
    required = {
        "timestamp": _SECONDS, "msec_timestamp": _MILLISECONDS, "msgid": string(),
        "conversation_id": string(), "sender": party, "message": message,
    }  # fmt: skip
    optional = {
        "conversation_ref_id": string(), "silent": boolean, "source": _SOURCE, "receiver": party,
        "reply_to": _reply_to(), "forwards": _forwards(),
    }  # fmt: skip
    return record(required, optional, _same_moment)


def _edit_message() -> Shape:
    ignored = ("source", "sender", "receiver", "reply_to", "forwards")
    status = record(
        {"status_code": choice(1, 2, -1)},
        {"error_code": choice(*ERROR_CODES), "error": string()},
        _error_is_told("status_code"),
    )
    return record(
        {
            "timestamp": _SECONDS,
            "msec_timestamp": _MILLISECONDS,
            "message": record(
                {"type": choice(*MESSAGE_TYPES)},
                {**_MESSAGE_FIELDS, "delivery_status": status},
                _text_is_there,
            ),
        },
        {
            "msgid": string(), "id": string(), "conversation_id": string(),
            "conversation_ref_id": string(), "silent": boolean,
            **dict.fromkeys(ignored, anything),
        },
        one_of("msgid", "id"),
        one_of("conversation_id", "conversation_ref_id"),
        _same_moment,
    )  # fmt: skip


_MESSAGE_FIELDS: dict[str, Shape] = {
    "text": string(empty=True),
    "media": link,
    "file_name": string(),
    "file_size": integer(0),
    "media_duration": integer(0),
    "sticker_id": string(),
    "location": record({"lon": number(-180, 180), "lat": number(-90, 90)}),
    "contact": record({"name": string(), "phone": string()}),
    "callback_data": string(),
    "shared_post": anything,
    "post": anything,
}


def _message(quirks: Quirks) -> Shape:
    needs: dict[str, tuple[str, ...]] = {
        "contact": ("contact",), "location": ("location",), "voice": ("media",),
        "audio": ("media",),
    }  # fmt: skip
    file_fields = ("media", "file_name", "file_size") if quirks.file_fields_required else ("media",)
    needs |= dict.fromkeys(("file", "video", "picture"), file_fields)

    def fields_of_its_type(value: JsonObject, path: str) -> Iterator[Problem]:
        for name in needs.get(str(value["type"]), ()):
            if name not in value:
                detail = f"is required for type {value['type']!r}"
                yield Problem(f"{path}.{name}", "FieldMissing", detail)
        if value["type"] == "sticker":
            yield from one_of("media", "sticker_id")(value, path)

    return record(
        {"type": choice(*MESSAGE_TYPES)}, _MESSAGE_FIELDS, _text_is_there, fields_of_its_type
    )


def _text_is_there(value: JsonObject, path: str) -> Iterator[Problem]:
    if value["type"] == "text" and not value.get("text"):
        yield Problem(f"{path}.text", "FieldMissing", "is required for type 'text'")


def _reply_to() -> Shape:
    embedded = ("type", "text", "timestamp", "msec_timestamp", "sender")

    def found_or_embedded(value: JsonObject, path: str) -> Iterator[Problem]:
        if "id" in value or "msgid" in value:
            return
        for name in embedded:
            if name not in value:
                detail = "is required where neither id nor msgid is given"
                yield Problem(f"{path}.{name}", "FieldMissing", detail)

    return record({"message": _quoted(found_or_embedded)})


def _forwards() -> Shape:
    return record(
        {"messages": array(_quoted(), longest=1)},
        {"conversation_id": string(), "conversation_ref_id": string()},
    )


def _quoted(*rules: Rule) -> Shape:
    sender = record(
        {}, {"id": string(), "ref_id": string(), "name": string()}, one_of("id", "ref_id", "name")
    )
    fields = {
        "id": string(), "msgid": string(), "type": choice(*MESSAGE_TYPES), "timestamp": _SECONDS,
        "msec_timestamp": _MILLISECONDS, "sender": sender, **_MESSAGE_FIELDS,
    }  # fmt: skip
    return record({}, fields, *rules)


def _delivery_status(quirks: Quirks) -> Shape:
    either = ("status_code", "delivery_status")
    names = either if quirks.status_field == "either" else (quirks.status_field,)

    def one_status(value: JsonObject, path: str) -> Iterator[Problem]:
        given = [name for name in names if name in value]
        if len(given) != 1:
            yield Problem(path, "FieldMissing", f"needs exactly one of {', '.join(names)}")
        else:
            yield from _error_is_told(given[0])(value, path)

    statuses = dict.fromkeys(names, choice(1, 2, -1))
    rest = {"msgid": string(), "error_code": choice(*ERROR_CODES), "error": string()}
    return record({}, {**statuses, **rest}, one_status)


def _error_is_told(status: str) -> Rule:
    def rule(value: JsonObject, path: str) -> Iterator[Problem]:
        failed = value[status] == -1
        for name in ("error_code", "error"):
            where = f"{path}.{name}".lstrip(".")
            if failed and name not in value:
                yield Problem(where, "FieldMissing", "is required with -1")
            elif not failed and name in value:
                yield Problem(where, "FieldNotExpected", "goes with -1 only")

    return rule


def _reaction() -> Shape:
    def emoji_is_there(value: JsonObject, path: str) -> Iterator[Problem]:
        del path
        if value["type"] == "react" and "emoji" not in value:
            yield Problem("emoji", "FieldMissing", "is required for react")

    return record(
        {
            "user": record({}, {"id": string(), "ref_id": string()}, one_of("id", "ref_id")),
            "type": choice("react", "unreact"),
        },
        {
            "conversation_id": string(), "conversation_ref_id": string(), "id": string(),
            "msgid": string(), "emoji": string(),
        },
        one_of("conversation_id", "conversation_ref_id"),
        one_of("id", "msgid"),
        emoji_is_there,
    )  # fmt: skip


def _same_moment(value: JsonObject, path: str) -> Iterator[Problem]:
    seconds, milliseconds = value["timestamp"], value["msec_timestamp"]
    if not isinstance(seconds, int) or not isinstance(milliseconds, int):
        return
    if milliseconds // 1000 != seconds:
        detail = f"{milliseconds} ms is not the moment of timestamp {seconds} s"
        yield Problem(f"{path}.msec_timestamp", "Moment", detail)
