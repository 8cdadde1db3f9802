"""What hooks say: the shapes of the documentation, of the field, and nonsense."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.amocrm.hooks import is_v1, parse_hook, read_hook
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.ids import ConversationId, CrmChatId, CrmMessageId, CrmPersonId, OwnNumber
from relay.domain.message import (
    CrmReaction,
    CrmTyping,
    Skipped,
    Written,
)

OLGA = "bbbbbbbb-0000-4000-8000-000000000017"

ANSWER = (
    b'{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","time":1770114000,"message":{'
    b'"receiver":{"id":"33333333-1111-4222-8333-444444444444","client_id":"wa-79991234567",'
    b'"phone":"79991234567","email":""},"sender":{"id":"bbbbbbbb-0000-4000-8000-000000000017"},'
    b'"conversation":{"id":"99999999-8888-4777-8666-555555555555","client_id":"wa-79991234567"},'
    b'"source":{"external_id":"wa-74950000001"},"timestamp":1770114000,'
    b'"msec_timestamp":1770114000250,"message":{"id":"77777777-6666-4555-8444-333333333333",'
    b'"type":"text","text":"Good day","markup":null,"tag":"","media":"","thumbnail":"",'
    b'"file_name":"","file_size":0}}}'
)

WRITE_FIRST = (
    b'{"account_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","time":1770114100,"message":{'
    b'"receiver":{"id":"44444444-1111-4222-8333-444444444444","phone":"8 (999) 000-00-03",'
    b'"email":""},"sender":{"id":"bbbbbbbb-0000-4000-8000-000000000017"},'
    b'"conversation":{"id":"12121212-8888-4777-8666-555555555555"},'
    b'"source":{"external_id":"wa-74950000001"},"timestamp":1770114100,'
    b'"msec_timestamp":1770114100000,"message":{"id":"88888888-6666-4555-8444-333333333333",'
    b'"type":"text","text":"Hello, this is ..."}}}'
)


def hook(message: dict[str, Any], **others: Any) -> bytes:
    """A hook with the given ``message.message`` and, beside it, the given other fields."""
    letter = {"conversation": {"id": "c-1"}, "message": {"id": "m-1"} | message} | others
    return json.dumps({"message": letter}).encode()


def content(message: dict[str, Any]) -> Content:
    event = read_hook(hook(message))
    assert isinstance(event, Written)
    return event.content


def test_answer_in_a_known_chat() -> None:
    """A manager's text in a chat that knows our ids."""
    assert read_hook(ANSWER) == Written(
        id=CrmMessageId("77777777-6666-4555-8444-333333333333"),
        chat=CrmChatId("99999999-8888-4777-8666-555555555555"),
        conversation=ConversationId("wa-79991234567"),
        author=CrmPersonId(OLGA),
        client=CrmPersonId("33333333-1111-4222-8333-444444444444"),
        phone="79991234567",
        content=Text("Good day"),
        written_at_ms=1770114000250,
        source=OwnNumber("74950000001"),
    )


def test_write_first() -> None:
    """A chat begun in amoCRM has no id of ours; its phone stands as in the card."""
    assert read_hook(WRITE_FIRST) == Written(
        id=CrmMessageId("88888888-6666-4555-8444-333333333333"),
        chat=CrmChatId("12121212-8888-4777-8666-555555555555"),
        conversation=None,
        author=CrmPersonId(OLGA),
        client=CrmPersonId("44444444-1111-4222-8333-444444444444"),
        phone="8 (999) 000-00-03",
        content=Text("Hello, this is ..."),
        written_at_ms=1770114100000,
        source=OwnNumber("74950000001"),
    )


@pytest.mark.parametrize(
    "source",
    [None, {}, [], "wa-74950000001", {"external_id": None}, {"external_id": ""},
     {"external_id": "shop-1"}, {"external_id": "wa-"}, {"external_id": "wa-7495x"}],
)  # fmt: skip
def test_a_source_that_is_not_ours_is_none(source: object) -> None:
    """Another integration's source, or nonsense, chooses no number of ours."""
    event = read_hook(hook({"text": "Hi"}, source=source))
    assert isinstance(event, Written)
    assert event.source is None


def test_trailing_newline_is_nothing() -> None:
    """The newline that the wire may add changes nothing."""
    assert read_hook(ANSWER + b"\r\n") == read_hook(ANSWER)


def test_least_hook() -> None:
    """A hook with nothing but the two ids it cannot do without is read."""
    assert read_hook(hook({"text": "ok"})) == Written(
        id=CrmMessageId("m-1"),
        chat=CrmChatId("c-1"),
        conversation=None,
        author=CrmPersonId(""),
        client=CrmPersonId(""),
        phone=None,
        content=Text("ok"),
        written_at_ms=0,
    )


def test_captured_shape() -> None:
    """The shape seen in the field: names instead of phones, empty strings, nulls."""
    event = read_hook(
        hook(
            {"type": "text", "text": "ok", "markup": None, "media": None, "file_size": 0},
            receiver={"id": "p-1", "name": "Ivan", "client_id": "wa-1", "phone": None},
            sender={"id": OLGA, "name": ""},
            conversation={"id": "c-1", "client_id": ""},
            source=None,
            timestamp="",
        )
    )
    assert isinstance(event, Written)
    assert (event.client, event.author, event.phone) == ("p-1", OLGA, None)
    assert event.conversation is None
    assert event.content == Text("ok")


@pytest.mark.parametrize("wrong", [None, "", [], [1], True, {}, {"id": None}, 0.5])
def test_parts_of_another_type_count_as_missing(wrong: Any) -> None:
    """A sender, receiver or conversation id that is no such thing is as good as none."""
    event = read_hook(
        hook(
            {"text": "ok"},
            sender=wrong,
            receiver=wrong,
            conversation={"id": "c-1", "client_id": wrong},
            msec_timestamp=wrong,
        )
    )
    assert isinstance(event, Written)
    assert (event.author, event.client, event.conversation) == ("", "", None)
    assert event.written_at_ms == 0


def test_numeric_ids_are_ids() -> None:
    """An id that comes as a number is the same id."""
    event = read_hook(hook({"id": 7, "text": "ok"}, receiver={"phone": 79991234567}))
    assert isinstance(event, Written)
    assert (event.id, event.phone) == ("7", "79991234567")


@pytest.mark.parametrize(
    ("letter", "outer", "moment_ms"),
    [
        ({"msec_timestamp": 5_250, "timestamp": 7}, 9, 5_250),
        ({"msec_timestamp": 0, "timestamp": 7}, 9, 7_000),
        ({"msec_timestamp": None}, 9, 9_000),
        ({"timestamp": -1}, True, 0),
        ({"timestamp": 2**60}, 2**53, 0),
        ({}, None, 0),
    ],
)
def test_moment(letter: dict[str, Any], outer: Any, moment_ms: int) -> None:
    """The finest moment amoCRM tells counts; impossible ones are passed over."""
    whole = json.loads(hook({"text": "ok"}, **letter)) | {"time": outer}
    event = read_hook(json.dumps(whole).encode())
    assert isinstance(event, Written)
    assert event.written_at_ms == moment_ms


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"type": "text", "text": "a\nb"}, Text("a\nb")),
        (
            {"type": "text", "text": "Confirm?", "markup": {"mode": "inline", "buttons": [[]]}},
            Text("Confirm?"),
        ),
        (
            {
                "type": "text",
                "text": "Confirm?",
                "markup": {
                    "mode": "inline",
                    "buttons": [
                        [{"text": "Yes"}, {"text": "No"}],
                        [{"text": "Site", "url": "https://example.com"}],
                    ],
                },
            },
            Text("Confirm?\n\n• Yes\n• No\n• Site: https://example.com"),
        ),
        (
            {
                "type": "text",
                "text": "menu",
                "markup": {
                    "list_message": {
                        "header": "h",
                        "body": "menu",
                        "footer": "f",
                        "button": "Open",
                        "sections": [
                            {
                                "title": "s",
                                "rows": [
                                    {"callback_data": "k", "title": "t", "description": "d"},
                                    {"title": "u"},
                                ],
                            }
                        ],
                    }
                },
            },
            Text("menu\n\nh\ns:\n• t — d\n• u\nf"),
        ),
        (
            {
                "type": "text",
                "text": "",
                "template": {
                    "content": "Order {{lead.id}}",
                    "params": [{"key": "{{lead.id}}", "value": "15"}],
                },
            },
            Text("Order 15"),
        ),
        ({"text": "ok", "markup": {"buttons": "no", "list_message": 5}}, Text("ok")),
        ({"text": "ok", "markup": {"buttons": [5, [None, {"text": 5}]]}}, Text("ok")),
        (
            {"type": "location", "location": {"lon": 37.6, "lat": 55.7}, "text": "Офис"},
            Location(55.7, 37.6, "Офис"),
        ),
        (
            {"type": "contact", "contact": {"name": "Пётр", "phone": "+79990000002"}},
            Contacts((ContactCard("Пётр", ("+79990000002",)),)),
        ),
        ({"type": "text", "text": "Order 15", "template": {"content": "x"}}, Text("Order 15")),
        ({"type": "text", "text": "\ud83d\ude00"}, Text("😀")),
        ({"type": "text", "text": "a\ud83d"}, Text("a�")),
        ({"type": "text", "text": ""}, Unsupported("empty")),
        ({"type": "text", "text": None}, Unsupported("empty")),
        ({"type": "text"}, Unsupported("empty")),
        ({"type": "sticker"}, Media(MediaKind.STICKER, None)),
        ({"type": "location", "text": "here"}, Text("here")),
        ({"type": "location", "location": {"lon": True, "lat": 99}}, Unsupported("location")),
        ({"type": "hologram"}, Unsupported("hologram")),
        (
            {"type": "hologram", "media": "https://x/h"},
            Media(MediaKind.DOCUMENT, Remote("https://x/h")),
        ),
        (
            {"text": "Choose", "media": "https://x/p", "markup": {"buttons": [[{"text": "A"}]]}},
            Media(MediaKind.DOCUMENT, Remote("https://x/p"), "Choose\n\n• A"),
        ),
    ],
)
def test_contents(message: dict[str, Any], expected: Content) -> None:
    """Text is carried as written; a kind that is none of ours is named."""
    assert content(message) == expected


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("picture", MediaKind.IMAGE),
        ("video", MediaKind.VIDEO),
        ("voice", MediaKind.VOICE),
        ("audio", MediaKind.AUDIO),
        ("file", MediaKind.DOCUMENT),
        ("sticker", MediaKind.STICKER),
        ("text", MediaKind.IMAGE),
    ],
)
def test_a_medium_comes_with_all_that_is_told_of_it(kind: str, what: MediaKind) -> None:
    """Link, caption, name, size and duration; a text that brings a file is a file with caption."""
    told = {"text": "look", "file_name": "p.jpg", "file_size": 48211, "media_duration": 7}
    assert content({"type": kind, "media": "https://x/p.jpg", **told}) == Media(
        what, Remote("https://x/p.jpg"), "look", "p.jpg", size=48211, duration_s=7
    )


@pytest.mark.parametrize(
    "told",
    [
        {"text": "", "file_name": "", "file_size": 0, "media_duration": 0},
        {"text": None, "file_name": None, "file_size": None},
        {"text": " ", "file_name": [], "file_size": -1, "media_duration": "7"},
        {"text": 5, "file_name": 5, "file_size": True, "media_duration": 2**53},
    ],
)
def test_what_makes_no_sense_of_a_medium_is_not_told(told: dict[str, Any]) -> None:
    """Empty, missing and impossible words and figures count as none; the medium still comes."""
    picture = content({"type": "picture", "media": "https://x/p", **told})
    assert picture == Media(MediaKind.IMAGE, Remote("https://x/p"))


def test_a_file_name_with_half_a_character_is_repaired() -> None:
    """A broken name never holds up its message."""
    file = content({"type": "file", "media": "https://x/p", "file_name": "a\ud83d.pdf"})
    assert isinstance(file, Media)
    assert file.name == "a\ufffd.pdf"


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        (b'{"action":{"typing":{"user":{"id":"b"},"conversation":{}}}}', "typing"),
        (b'{"action":{"user":{"id":"b"},"typing":null}}', "typing"),
        (b'{"action":{"reaction":{"type":"react","emoji":"x","msgid":"7"}}}', "reaction"),
        (b'{"action":{"dance":{}}}', "unknown"),
        (b'{"action":null}', "unknown"),
        (b"{}", "unknown"),
        (b'{"message":null}', "unknown"),
        (b'{"account_id":"a","time":1}', "unknown"),
        (b'{"conversation_id":"wa-1","receiver":"wa-1","type":"text","text":"x"}', "v1"),
        (b'{"message":{"conversation_id":"wa-1","receiver":"wa-1","text":"x"}}', "v1"),
    ],
)
def test_skipped(payload: bytes, rule: str) -> None:
    """Hooks that ask for nothing the relay does are skipped by name."""
    assert read_hook(payload) == Skipped(rule)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"action":{"typing":{"user":{"id":"b"},"conversation":{"id":"9","client_id":"wa-1-2"}}}}',
        b'{"action":{"user":{"id":"b"},"typing":{"conversation":{"id":"9","client_id":"wa-1-2"}}}}',
    ],
)
def test_typing(payload: bytes) -> None:
    """In whose chat somebody types, wherever the user stands."""
    assert read_hook(payload) == CrmTyping(CrmChatId("9"), ConversationId("wa-1-2"))


_REACTION = {"conversation": {"id": "9", "client_id": "wa-1-2"}, "type": "react", "emoji": "👍"}


@pytest.mark.parametrize(
    ("action", "emoji"),
    [
        ({"reaction": {**_REACTION, "user": {"id": "u"}, "message": {"id": "m"}}}, "👍"),
        ({"reaction": {**_REACTION, "msgid": "m"}, "user": {"id": "u"}}, "👍"),
        (
            {"reaction": {**_REACTION, "msgid": "m", "user": {"id": "u"}, "type": "unreact"}},
            "",
        ),
    ],
)
def test_reactions(action: dict[str, Any], emoji: str) -> None:
    """In the form of the example and of the table; taken off again it is empty."""
    hook = json.dumps({"time": 1_770_113_731, "action": action}).encode()
    assert read_hook(hook) == CrmReaction(
        CrmChatId("9"),
        ConversationId("wa-1-2"),
        CrmMessageId("m"),
        CrmPersonId("u"),
        emoji,
        1_770_113_731_000,
    )


def test_an_answer_names_what_it_quotes() -> None:
    """By amoCRM's id; without one it quotes nothing."""
    hook = json.loads(ANSWER)
    hook["message"]["message"]["reply_to"] = {"message": {"id": "q", "msgid": "wa-1-A"}}
    quoting = read_hook(json.dumps(hook).encode())
    assert isinstance(quoting, Written)
    assert quoting.quotes == "q"
    plain = read_hook(ANSWER)
    assert isinstance(plain, Written)
    assert plain.quotes is None


def test_v1_is_recognised() -> None:
    """A flat hook is of version 1, one of version 2 is not."""
    assert is_v1(parse_hook(b'{"conversation_id":"wa-1"}'))
    assert not is_v1(parse_hook(ANSWER))
    assert not is_v1(parse_hook(b'{"message":{"conversation_id":"c","message":{"id":"m"}}}'))
    assert not is_v1(parse_hook(b'{"message":[]}'))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xff\xff",
        b"[" * 200_000,
        b'{"message":"x"}',
        b'{"message":[]}',
        b'{"message":{}}',
        hook({"id": ""}),
        hook({"id": None}),
        hook({"id": "\ud800"}),
        hook({}, conversation={}),
        hook({}, conversation=None),
        hook({"type": "\ud800"}),
    ],
)
def test_nonsense_is_a_value_error(payload: bytes) -> None:
    """What makes no sense is a ValueError: it is kept and reported, never half understood."""
    with pytest.raises(ValueError):  # noqa: PT011 - its words differ, its type is the port's
        read_hook(payload)


KEYS = [
    *("message", "conversation", "sender", "receiver", "id", "client_id", "type", "text", "media"),
    *("action", "typing", "conversation_id", "timestamp", "phone"),
]

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(_JSON.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_any_hook_is_read_or_is_nonsense(payload: bytes) -> None:
    """Whatever the bytes, reading gives an event that can be stored, or a ValueError."""
    try:
        event = read_hook(payload)
    except ValueError:
        return
    repr(event).encode()
    if isinstance(event, Written):
        assert event.id
        assert event.chat
        for part in (event.id, event.chat, event.conversation or "", event.author, event.client):
            part.encode()
