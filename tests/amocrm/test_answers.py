"""What answers mean: every row of the table, and what must never get into a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.amocrm.answers import LONGEST_REASON, LONGEST_WAIT_MS, Alarm, Answer, Verdict, decipher
from relay.amocrm.protocol import Call
from relay.domain.outbox import Dead, Delivered, Retry
from tests.amocrm.doubles import ACCEPTED, CRM_MESSAGE, SCOPE, TOLD_CHAT

MSGID = "wa-74950000001-3EB0C0FFEE"


def fate(call: Call, status: int, body: bytes = b"") -> tuple[str, Alarm | None]:
    verdict = decipher(call, Answer(status, body), MSGID)
    return type(verdict.outcome).__name__, verdict.alarm


def reason(status: int, body: bytes, *private: str) -> str:
    outcome = decipher(Call.MESSAGE, Answer(status, body), MSGID, private).outcome
    assert isinstance(outcome, Retry | Dead)
    return outcome.reason


def test_message_accepted() -> None:
    """A 200 with ``new_message`` is delivered: amoCRM's id of the message, and of its chat."""
    verdict = decipher(Call.MESSAGE, Answer(200, ACCEPTED), MSGID)
    assert verdict == Verdict(Delivered(CRM_MESSAGE, TOLD_CHAT))


@pytest.mark.parametrize("chat", ['"wa-74950000001-79001234567"', "null", "7", '""', "{}"])
def test_only_amocrms_own_id_of_a_chat_is_taken(chat: str) -> None:
    """Where amoCRM repeats our id of the conversation, or tells nothing, the chat is unknown."""
    body = f'{{"new_message":{{"msgid":"m-1","conversation_id":{chat}}}}}'.encode()
    assert decipher(Call.MESSAGE, Answer(200, body)) == Verdict(Delivered("m-1"))


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        (b'{"new_message":{}}', None),
        (b'{"new_message":{"msgid":null}}', None),
        (b'{"new_message":{"msgid":7}}', None),
        (b'{"msgid":"m-1","ref_id":"x"}', "m-1"),
    ],
)
def test_accepted_shapes_are_read_leniently(body: bytes, reference: str | None) -> None:
    """An acceptance that lacks amoCRM's id, or is flat, is an acceptance all the same."""
    assert decipher(Call.MESSAGE, Answer(200, body)) == Verdict(Delivered(reference))


@pytest.mark.parametrize(
    "body", [b"", b"<html>hello</html>", b"null", b"[]", b"{}", b'"ok"', b"\xff\xfe", b"[" * 60000]
)
def test_garbage_with_200_is_no_acceptance(body: bytes) -> None:
    """A 200 that is not amoCRM's answer proves nothing: the message is sent again."""
    assert fate(Call.MESSAGE, 200, body) == ("Retry", None)
    assert fate(Call.CONNECT, 200, body) == ("Retry", None)


def test_status_accepted() -> None:
    """A status is delivered by a 200 with an empty body, or with a JSON object."""
    assert decipher(Call.STATUS, Answer(200, b"")) == Verdict(Delivered())
    assert decipher(Call.STATUS, Answer(200, b"{}\n")) == Verdict(Delivered())
    assert fate(Call.STATUS, 200, b"<html>") == ("Retry", None)


def test_connect_accepted() -> None:
    """A connect is done when it names a scope; the scope is its reference."""
    body = json.dumps({"scope_id": SCOPE}).encode()
    assert decipher(Call.CONNECT, Answer(200, body)) == Verdict(Delivered(SCOPE))
    assert fate(Call.CONNECT, 200, b'{"scope_id":""}') == ("Retry", None)
    assert fate(Call.CONNECT, 200, ACCEPTED) == ("Retry", None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error_description":"message with this msgid already exists"}',
        b'{"detail":"Duplicate msgid"}',
        b'{"detail":"wa-74950000001-3EB0C0FFEE exists"}',
        b"msgid is not unique",
        b'{"error_type":"MsgidRepeated","error_description":"is message 77"}',
    ],
)
def test_repeated_msgid_is_delivered(body: bytes) -> None:
    """A 400 or 409 that says our msgid was seen before means that the message is there."""
    assert decipher(Call.MESSAGE, Answer(409, body), MSGID) == Verdict(Delivered())
    assert decipher(Call.MESSAGE, Answer(400, body), MSGID) == Verdict(Delivered())


@pytest.mark.parametrize(
    "body",
    [
        b'{"error_description":"msgid is required"}',
        b'{"error_description":"user already exists"}',
        b'{"error_description":"the chat of this msgid does not exist"}',
        b"",
    ],
)
def test_other_400_is_dead(body: bytes) -> None:
    """Any other 400 will be one for ever."""
    assert fate(Call.MESSAGE, 400, body) == ("Dead", None)


def test_400_means_dead_for_statuses_too() -> None:
    """The words of a repeated msgid count for messages alone."""
    assert fate(Call.STATUS, 400, b"msgid already exists") == ("Dead", None)


@pytest.mark.parametrize("call", list(Call))
@pytest.mark.parametrize("status", [401, 403])
def test_bad_signature_is_an_alarm(call: Call, status: int) -> None:
    """A refused signature is the operator's matter: the letter waits."""
    assert fate(call, status, b"whatever") == ("Retry", Alarm.CREDENTIALS)


def test_404() -> None:
    """An unknown channel is connected again; the status of an unknown message is dead."""
    assert fate(Call.MESSAGE, 404) == ("Retry", Alarm.CHANNEL)
    assert fate(Call.CONNECT, 404) == ("Retry", Alarm.CHANNEL)
    assert fate(Call.STATUS, 404) == ("Dead", None)


@given(
    call=st.sampled_from(list(Call)),
    status=st.integers(100, 999).filter(
        lambda n: not 200 <= n < 300 and n not in {400, 401, 403, 404}
    ),
    body=st.binary(max_size=200),
)
def test_the_unknown_is_retry(call: Call, status: int, body: bytes) -> None:
    """Every status the documentation does not name is tried again, without alarm."""
    assert fate(call, status, body) == ("Retry", None)


@given(
    call=st.sampled_from(list(Call)),
    status=st.integers(0, 999),
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text() | st.sampled_from(["error", "detail", "retry_after", "msgid"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
    told=st.none() | st.text(max_size=30),
)
def test_any_answer_has_a_meaning(call: Call, status: int, body: bytes, told: str | None) -> None:
    """No answer is an error here, and no wait it asks for is out of bounds."""
    verdict = decipher(call, Answer(status, body, None, told), MSGID, ("text",))
    if isinstance(verdict.outcome, Retry) and verdict.outcome.after_ms is not None:
        assert 1000 <= verdict.outcome.after_ms <= LONGEST_WAIT_MS


@pytest.mark.parametrize(
    ("header", "date", "body", "after_ms"),
    [
        ("7", None, b"", 7_000),
        ("0", None, b"", 1_000),
        ("-5", None, b"", 1_000),
        ("99999", None, b"", LONGEST_WAIT_MS),
        ("inf", None, b"", LONGEST_WAIT_MS),
        ("nan", None, b"", None),
        ("soon", None, b"", None),
        (None, None, b"", None),
        ("Tue, 03 Feb 2026 10:15:40 GMT", "Tue, 03 Feb 2026 10:15:30 GMT", b"", 10_000),
        ("Tue, 03 Feb 2026 10:15:40 GMT", None, b"", None),
        ("Tue, 03 Feb 2026 10:15:40 GMT", "yesterday", b"", None),
        (None, None, b'{"retry_after":12}', 12_000),
        (None, None, b'{"retry_after":"12"}', 12_000),
        (None, None, b'{"retry_after":true}', None),
        (None, None, b'{"retry_after":[1]}', None),
        ("3", None, b'{"retry_after":12}', 3_000),
        ("soon", None, b'{"retry_after":12}', 12_000),
    ],
)
def test_told_wait_is_kept_within_bounds(
    header: str | None, date: str | None, body: bytes, after_ms: int | None
) -> None:
    """``Retry-After`` in either form, or ``retry_after`` in the body, between 1 s and 5 min."""
    outcome = decipher(Call.MESSAGE, Answer(429, body, date, header)).outcome
    assert isinstance(outcome, Retry)
    assert outcome.after_ms == after_ms


def test_reason_is_readable() -> None:
    """The reason holds the status and what the known fields of an error explain."""
    body = (
        b'{"title":"Bad Request","status":400,"detail":"Request validation failed",'
        b'"validation-errors":[{"errors":[{"code":"NotSupported","path":"payload.x","detail":"no"}]}]}'
    )
    assert reason(400, body) == (
        "amoCRM answered 400: Bad Request, Request validation failed, NotSupported, no, payload.x"
    )
    assert reason(503, b"<h1>Bad\n  Gateway</h1>") == "amoCRM answered 503: <h1>Bad Gateway</h1>"
    assert reason(500, b"") == "amoCRM answered 500: no explanation"


def test_reason_is_short() -> None:
    """However long an answer is, its reason is not."""
    assert len(reason(500, b"x" * 60_000)) <= LONGEST_REASON + len("amoCRM answered 500: ")
    deep = b'{"error":' * 500 + b"1" + b"}" * 500
    assert reason(500, deep) == "amoCRM answered 500: no explanation"


@pytest.mark.parametrize(
    "body",
    [
        "bad: {text}",
        '{{"error":"cannot take {text}"}}',
        '{{"payload":{{"message":{{"type":"text","text":"{text}"}}}}}}',
        "<p>{text}</p>",
    ],
)
def test_reason_never_quotes_the_message(body: str) -> None:
    """The client's words, name and number are cut out of a reason, even quoted in part."""
    text = "Мой пароль: очень секретное слово"
    quoted = body.format(text=text).encode()
    assert "секретное" not in reason(400, quoted, text, "79991234567")
    shortened = body.format(text=text[:20]).encode()
    assert "пароль" not in reason(400, shortened, text)
    escaped = json.dumps(body.format(text=text)).encode()
    assert "секретное" not in reason(400, escaped, text)
    assert "\\u043f" not in reason(400, b"raw " + json.dumps(text).encode(), text)


def test_reason_never_quotes_a_long_message() -> None:
    """A message that fills the answer is cut out too, though only a part of it came."""
    text = "тайна " * 5000
    assert "тайна" not in reason(400, b"bad: " + text.encode()[:4000], text)


def test_short_words_do_not_eat_the_reason() -> None:
    """A message of two letters does not make the reason unreadable."""
    assert reason(500, b"no gateway", "no", "") == "amoCRM answered 500: no gateway"
