"""Laws of strict typing: each wrong body is refused with 400 and the place of the fault."""

from __future__ import annotations

from typing import Any

import pytest

from relay.demo.pretended_amocrm.bodies import Bodies
from relay.demo.pretended_amocrm.quirks import Quirks
from tests.demo.pretended_amocrm.peers import CLIENT, MANAGER, NOW_MS, new_message

MOMENT = {"timestamp": NOW_MS // 1000, "msec_timestamp": NOW_MS}
FILE = {"type": "file", "media": "https://a.example/f", "file_name": "f.pdf", "file_size": 3}


def edit(**fields: object) -> dict[str, Any]:
    payload = {
        **MOMENT, "msgid": "m-1", "conversation_id": "c",
        "message": {"type": "text", "text": "x"}, **fields,
    }  # fmt: skip
    payload = {name: value for name, value in payload.items() if value is not None}
    return {"event_type": "edit_message", "payload": payload}


def reaction(**fields: object) -> dict[str, Any]:
    body = {
        "conversation_id": "c", "msgid": "m-1", "user": {"id": "wa-1"}, "type": "react",
        "emoji": "👍", **fields,
    }  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}


def found(shape: str, body: object, **quirks: Any) -> list[str]:
    problems = Bodies(Quirks(**quirks)).problems(shape, body)
    return [f"{problem.code} {problem.path}" for problem in problems]


RIGHT = [
    ("connect", {"account_id": "a"}),
    ("disconnect", {"account_id": "a"}),
    ("new_message", new_message()),
    ("new_message", new_message(silent=None)),
    ("new_message", new_message(sender=MANAGER, receiver=CLIENT)),
    ("new_message", new_message(source={"external_id": "wa-74950000001"})),
    ("new_message", new_message(message=FILE)),
    ("new_message", new_message(message={**FILE, "type": "picture", "text": "caption"})),
    ("new_message", new_message(message={"type": "voice", "media": "https://a.example/v"})),
    ("new_message", new_message(message={"type": "sticker", "sticker_id": "s"})),
    ("new_message", new_message(message={"type": "location", "location": {"lon": 37.6, "lat": 5}})),
    (
        "new_message",
        new_message(message={"type": "contact", "contact": {"name": "P", "phone": "1"}}),
    ),
    ("new_message", new_message(reply_to={"message": {"msgid": "m-0"}})),
    (
        "new_message",
        new_message(
            reply_to={"message": {"type": "text", "text": "q", "sender": {"name": "I"}, **MOMENT}}
        ),
    ),
    ("edit_message", edit()),
    ("edit_message", edit(receiver=None, sender=CLIENT, forwards={"whatever": 1})),
    ("delivery_status", {"status_code": 1}),
    ("delivery_status", {"delivery_status": 2, "msgid": "m"}),
    ("delivery_status", {"status_code": -1, "error_code": 905, "error": "reason"}),
    ("typing", {"conversation_id": "c", "sender": {"id": "wa-1"}}),
    ("typing", {"conversation_id": "c", "sender": {"id": "wa-1"}, "duration_ms": 5000}),
    ("react", reaction()),
    ("react", reaction(type="unreact", emoji=None)),
    ("chats", {"conversation_id": "c", "user": {"id": "u", "name": "n"}}),
]


@pytest.mark.parametrize(("shape", "body"), RIGHT)
def test_a_documented_body_is_right(shape: str, body: object) -> None:
    """A body written as the documents say has no problem."""
    assert found(shape, body) == []


WRONG_CONTENT: list[tuple[dict[str, object], str]] = [
    ({"text": "x"}, "FieldMissing payload.message.type"),
    ({"type": "poll"}, "NotSupportedChoice payload.message.type"),
    ({"type": "text", "text": ""}, "FieldMissing payload.message.text"),
    ({"type": "text", "text": None}, "WrongType payload.message.text"),
    ({"type": "text"}, "FieldMissing payload.message.text"),
    ({"type": "voice"}, "FieldMissing payload.message.media"),
    ({"type": "sticker"}, "FieldMissing payload.message"),
    ({"type": "location"}, "FieldMissing payload.message.location"),
    ({"type": "contact"}, "FieldMissing payload.message.contact"),
    (
        {"type": "location", "location": {"lon": "37", "lat": 5.0}},
        "WrongType payload.message.location.lon",
    ),
    (
        {"type": "file", "media": "https://a.example", "file_name": "f"},
        "FieldMissing payload.message.file_size",
    ),
    ({**FILE, "media": "file:///x"}, "NotALink payload.message.media"),
    ({**FILE, "file_size": "3"}, "WrongType payload.message.file_size"),
]

WRONG_PAYLOAD: list[tuple[dict[str, Any], str]] = [
    ({"timestamp": None}, "FieldMissing payload.timestamp"),
    ({"timestamp": "1770113730"}, "WrongType payload.timestamp"),
    ({"timestamp": 1770113730.0}, "WrongType payload.timestamp"),
    ({"timestamp": True}, "WrongType payload.timestamp"),
    ({"timestamp": NOW_MS}, "OutOfRange payload.timestamp"),
    ({"msec_timestamp": None}, "FieldMissing payload.msec_timestamp"),
    ({"msec_timestamp": NOW_MS + 1000}, "Moment payload.msec_timestamp"),
    ({"msec_timestamp": NOW_MS // 1000}, "OutOfRange payload.msec_timestamp"),
    ({"msgid": 7}, "WrongType payload.msgid"),
    ({"msgid": ""}, "Empty payload.msgid"),
    ({"msgid": None}, "FieldMissing payload.msgid"),
    ({"conversation_id": None}, "FieldMissing payload.conversation_id"),
    ({"silent": "false"}, "WrongType payload.silent"),
    ({"silent": 0}, "WrongType payload.silent"),
    ({"source": {"external_id": "ключ"}}, "NotAscii payload.source.external_id"),
    ({"source": {"external_id": "x" * 41}}, "TooLong payload.source.external_id"),
    ({"source": {}}, "FieldMissing payload.source.external_id"),
    ({"sender": None}, "FieldMissing payload.sender"),
    ({"sender": {"id": "1"}}, "FieldMissing payload.sender.name"),
    ({"sender": {"name": "x"}}, "FieldMissing payload.sender.id"),
    ({"sender": {**CLIENT, "avatar": "/a.png"}}, "NotALink payload.sender.avatar"),
    ({"sender": {**CLIENT, "phone": "1"}}, "FieldNotExpected payload.sender.phone"),
    ({"receiver": {"id": "1"}}, "FieldMissing payload.receiver.name"),
    ({"message": None}, "FieldMissing payload.message"),
    ({"markup": {}}, "FieldNotExpected payload.markup"),
    ({"receiver_id": "x"}, "FieldNotExpected payload.receiver_id"),
    (
        {"reply_to": {"message": {"type": "text", "text": "q", **MOMENT}}},
        "FieldMissing payload.reply_to.message.sender",
    ),
    ({"forwards": {"messages": [{"id": "1"}, {"id": "2"}]}}, "Length payload.forwards.messages"),
]

ERROR = {"status_code": -1, "error_code": 905, "error": "x"}
TYPING = {"conversation_id": "c", "sender": {"id": "x"}}
USER = {"id": "u", "name": "n"}
ACCOUNT = {"account_id": "a"}

WRONG = [
    *(("new_message", new_message(message=content), told) for content, told in WRONG_CONTENT),
    *(("new_message", new_message(**fields), told) for fields, told in WRONG_PAYLOAD),
    ("connect", [], "WrongType "),
    ("connect", {}, "FieldMissing account_id"),
    ("connect", {"account_id": 7}, "WrongType account_id"),
    ("connect", {**ACCOUNT, "hook_api_version": "v3"}, "NotSupportedChoice hook_api_version"),
    ("connect", {**ACCOUNT, "is_time_window_disabled": 1}, "WrongType is_time_window_disabled"),
    ("connect", {**ACCOUNT, "color": "red"}, "FieldNotExpected color"),
    ("edit_message", edit(msgid=None), "FieldMissing payload"),
    ("edit_message", edit(conversation_id=None), "FieldMissing payload"),
    ("edit_message", edit(message={"type": "text"}), "FieldMissing payload.message.text"),
    ("edit_message", edit(msec_timestamp=1), "OutOfRange payload.msec_timestamp"),
    ("delivery_status", {}, "FieldMissing "),
    ("delivery_status", {"status_code": 1, "delivery_status": 1}, "FieldMissing "),
    ("delivery_status", {"status_code": "1"}, "NotSupportedChoice status_code"),
    ("delivery_status", {"status_code": True}, "WrongType status_code"),
    ("delivery_status", {"status_code": 0}, "NotSupportedChoice status_code"),
    ("delivery_status", {"status_code": 1, "error": "x"}, "FieldNotExpected error"),
    ("delivery_status", {"status_code": -1, "error": "x"}, "FieldMissing error_code"),
    ("delivery_status", {"status_code": -1, "error_code": 905}, "FieldMissing error"),
    ("delivery_status", {**ERROR, "error": ""}, "Empty error"),
    ("delivery_status", {**ERROR, "error_code": 900}, "NotSupportedChoice error_code"),
    ("delivery_status", {**ERROR, "error_сode": 905}, "FieldNotExpected error_сode"),
    ("typing", {"sender": {"id": "wa-1"}}, "FieldMissing conversation_id"),
    ("typing", {"conversation_id": "c"}, "FieldMissing sender"),
    ("typing", {**TYPING, "conversation_ref_id": "c"}, "FieldNotExpected conversation_ref_id"),
    ("typing", {**TYPING, "duration_ms": 0}, "OutOfRange duration_ms"),
    ("react", reaction(conversation_id=None), "FieldMissing "),
    ("react", reaction(msgid=None), "FieldMissing "),
    ("react", reaction(user={}), "FieldMissing user"),
    ("react", reaction(type="like"), "NotSupportedChoice type"),
    ("react", reaction(emoji=None), "FieldMissing emoji"),
    ("chats", {"conversation_id": "c"}, "FieldMissing user"),
    ("chats", {"conversation_id": "c", "user": {"id": "u"}}, "FieldMissing user.name"),
    (
        "chats",
        {"conversation_id": "c", "user": {**USER, "ref_id": "r"}},
        "FieldNotExpected user.ref_id",
    ),
]


@pytest.mark.parametrize(("shape", "body", "problem"), WRONG)
def test_a_wrong_body_has_its_problem(shape: str, body: object, problem: str) -> None:
    """Each departure from the documents is found, at its place."""
    assert problem in found(shape, body)


def test_every_problem_is_told() -> None:
    """Two faults in one body are two problems."""
    wrong = found("new_message", new_message(msgid=1, silent="no"))
    assert wrong == ["WrongType payload.msgid", "WrongType payload.silent"]


@pytest.mark.parametrize("other", ["status_code", "delivery_status"])
def test_the_status_field_can_be_pinned(other: str) -> None:
    """With one name of the status field chosen, the other name is refused."""
    chosen = {"status_code": "delivery_status", "delivery_status": "status_code"}[other]
    assert found("delivery_status", {chosen: 1}, status_field=chosen) == []
    assert f"FieldNotExpected {other}" in found("delivery_status", {other: 1}, status_field=chosen)


def test_short_parties_can_be_allowed() -> None:
    """With the parties seen in use, a sender of a ref_id alone is right."""
    body = new_message(sender={"ref_id": MANAGER["ref_id"]}, receiver={"id": "wa-1"})
    assert found("new_message", body, parties="in_use") == []
    assert found("new_message", body) != []


def test_file_fields_can_be_optional() -> None:
    """With Kommo's reading, a file needs its media only."""
    body = new_message(message={"type": "picture", "media": "https://a.example/p"})
    assert found("new_message", body, file_fields_required=False) == []
    assert found("new_message", body) != []
