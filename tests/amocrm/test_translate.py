"""Our messages and statuses in amoCRM's words, to the byte where the vendor gives bytes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.amocrm import translate
from relay.amocrm.revisions import NoBotError
from relay.domain.bodies import ErrorReply, NewMessage, StatusUpdate
from relay.domain.contents import Content, Media, MediaKind, Text, Unsupported
from relay.domain.ids import ClientAddress, MessageId
from relay.domain.message import (
    Client,
    Failure,
    Origin,
    Status,
)
from relay.domain.settings import Language
from tests.amocrm.doubles import (
    BOT,
    CHAT,
    CRM_MESSAGE,
    PERSON,
    SCOPE,
    binding,
    message,
)
from tests.amocrm.test_protocol import B5, SOURCED


def body(
    letter: NewMessage | ErrorReply,
    language: Language = Language.RU,
    bot_id: str | None = None,
) -> bytes:
    return translate.message_request(
        letter, SCOPE, language=language, bot_id=bot_id, title="WA relay", link=str
    ).body


def payload(letter: NewMessage | ErrorReply, bot_id: str | None = None) -> dict[str, Any]:
    fields = json.loads(body(letter, bot_id=bot_id))["payload"]
    assert isinstance(fields, dict)
    return fields


def test_message_is_vector_2() -> None:
    """A client's text is, byte for byte, the body of the reference's second vector."""
    request = translate.message_request(
        message(), SCOPE, language=Language.RU, bot_id=None, title="", link=str
    )
    assert request.body == SOURCED
    assert request.path == f"/v2/origin/custom/{SCOPE}"


def test_incoming_has_no_receiver() -> None:
    """A message from a client has a sender alone: a receiver would turn its direction."""
    fields = payload(message())
    assert "receiver" not in fields
    assert fields["silent"] is False


def test_every_message_names_the_source_of_our_number() -> None:
    """The source is made of the number, so it survives a renamed channel; amoCRM keeps it so."""
    for origin in Origin:
        assert payload(message(origin=origin), bot_id=BOT)["source"] == {
            "external_id": "wa-74950000001"
        }


def test_both_moments_are_the_same_moment() -> None:
    """Seconds and milliseconds describe one moment, seconds without their fraction."""
    fields = payload(message())
    assert fields["timestamp"] == 1770113730
    assert fields["msec_timestamp"] == 1770113730123


@pytest.mark.parametrize(
    ("name", "phone", "shown"),
    [
        ("Иван", "+79991234567", "Иван"),
        (None, "+79991234567", "+79991234567"),
        ("  ", "+79991234567", "+79991234567"),
        (None, None, "WhatsApp"),
    ],
)
def test_name_falls_back(name: str | None, phone: str | None, shown: str) -> None:
    """A client without a name shows as his phone, without a phone as WhatsApp."""
    fields = payload(message(client=Client(ClientAddress("lid:5"), phone, name)))
    assert fields["sender"]["name"] == shown
    assert fields["sender"]["id"] == "wa-lid:5"
    assert fields["sender"].get("profile") == (None if phone is None else {"phone": phone})


def test_unbound_chat_is_bound_by_both_pairs() -> None:
    """In a chat that amoCRM began, its ids of chat and client go beside ours."""
    fields = payload(binding(message()))
    assert fields["conversation_ref_id"] == CHAT
    assert fields["sender"]["ref_id"] == PERSON
    assert fields["conversation_id"] == "wa-79991234567"
    assert fields["sender"]["id"] == "wa-79991234567"


@pytest.mark.parametrize(
    "half",
    [
        dataclasses.replace(binding(message()), crm_chat=None),
        dataclasses.replace(binding(message()), crm_client=None),
    ],
)
def test_no_half_pairs(half: NewMessage) -> None:
    """Only half known: none of amoCRM's ids is sent."""
    assert body(half) == body(message())


@given(text=st.text(), bound=st.booleans())
def test_same_entry_same_bytes(text: str, bound: bool) -> None:
    """Every attempt at a message sends the same bytes, hence the same ``msgid``."""
    letter = message(Text(text)) if bound else binding(message(Text(text)))
    first = body(letter)
    assert first == body(letter)
    assert json.loads(first)["payload"]["msgid"] == "wa-3EB0C0FFEE"


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""))
def test_text_arrives_as_written(text: str) -> None:
    """A text comes out of the JSON as it went in."""
    assert payload(message(Text(text)))["message"] == {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("content", "language", "shown"),
    [
        (
            Unsupported("poll"),
            Language.RU,
            "Неподдерживаемое сообщение WhatsApp: опрос. Откройте его на телефоне.",
        ),
        (
            Unsupported("poll"),
            Language.EN,
            "Unsupported WhatsApp message: poll. Open it on the phone.",
        ),
        (
            Unsupported("hologram"),
            Language.RU,
            "Неподдерживаемое сообщение WhatsApp. Откройте его на телефоне.",
        ),
        (
            Unsupported("undecryptable"),
            Language.RU,
            "Сообщение WhatsApp не удалось расшифровать. Откройте его на телефоне.",
        ),
        (Text(""), Language.EN, "Unsupported WhatsApp message. Open it on the phone."),
        (Text(" \n"), Language.EN, "Unsupported WhatsApp message. Open it on the phone."),
    ],
)
def test_what_cannot_be_carried_is_said(content: Content, language: Language, shown: str) -> None:
    """Nothing becomes silence: a placeholder in the file's language stands in its place."""
    fields = json.loads(body(message(content), language=language))
    assert fields["payload"]["message"] == {"type": "text", "text": shown}


def test_message_from_the_phone() -> None:
    """What the owner typed on the phone is outgoing, silent, and in the name of the bot."""
    letter = message(origin=Origin.PHONE)
    fields = json.loads(body(binding(letter), bot_id=BOT))["payload"]
    assert fields["silent"] is True
    assert fields["sender"] == {"id": "phone-74950000001", "name": "WA relay", "ref_id": BOT}
    assert fields["receiver"] == {
        "id": "wa-79991234567",
        "name": "Иван",
        "profile": {"phone": "+79991234567"},
        "ref_id": PERSON,
    }
    assert fields["conversation_ref_id"] == CHAT


def test_message_from_the_phone_needs_a_bot() -> None:
    """Without a bot such a message is an error with its reason, never a wrong direction."""
    with pytest.raises(NoBotError, match=r"chats\.bot_id"):
        body(message(origin=Origin.PHONE))


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (StatusUpdate(CRM_MESSAGE, Status.DELIVERED), B5.decode()),
        (StatusUpdate(CRM_MESSAGE, Status.READ), '{"status_code":2}'),
        (
            StatusUpdate(CRM_MESSAGE, Status.FAILED, Failure.NO_SUCH_CLIENT, "Нет"),
            '{"status_code":-1,"error_code":904,"error":"Нет"}',
        ),
        (
            StatusUpdate(CRM_MESSAGE, Status.FAILED),
            '{"status_code":-1,"error_code":905,"error":"Сообщение не доставлено в WhatsApp."}',
        ),
    ],
)
def test_statuses(update: StatusUpdate, expected: str) -> None:
    """Each status has its code; a failure always has a number and a text."""
    request = translate.status_request(update, SCOPE, Language.RU)
    assert request is not None
    assert request.body.decode() == expected
    assert request.path.endswith(f"/{CRM_MESSAGE}/delivery_status")


def test_sent_is_not_told() -> None:
    """amoCRM has no code for "sent": nothing is posted."""
    sent = StatusUpdate(CRM_MESSAGE, Status.SENT)
    assert translate.status_request(sent, SCOPE, Language.RU) is None


def test_private_texts_are_all_that_is_personal() -> None:
    """Text, name, number and address are what a log may not show."""
    assert translate.private_texts(message()) == ("Привет", "Иван", "79991234567", "79991234567")
    paper = message(Media(MediaKind.DOCUMENT, None, "смотрите", "паспорт.pdf"))
    assert translate.private_texts(paper)[:2] == ("смотрите", "паспорт.pdf")
    hidden = message(Unsupported("poll"), Client(ClientAddress("lid:5")))
    assert translate.private_texts(hidden) == ("", "", "lid:5")


def error_reply(**changes: Any) -> ErrorReply:
    """The relay's word on a message that failed, in the chat of the sample message."""
    ours = message()
    reply = ErrorReply(
        ours.conversation, MessageId("wa-1-error-m"), ours.own, ours.client, ours.sent_at_ms,
        "[GNZS ERROR] Номер не зарегистрирован в WhatsApp.",
    )  # fmt: skip
    return dataclasses.replace(reply, **changes)


def test_an_error_reply_is_the_bots() -> None:
    """Outgoing, silent, of its number's source, word for word."""
    fields = payload(error_reply(), bot_id=BOT)
    assert fields["sender"] == {"id": "phone-74950000001", "name": "WA relay", "ref_id": BOT}
    assert fields["receiver"] == payload(message())["sender"]
    assert fields["silent"] is True
    assert fields["source"] == {"external_id": "wa-74950000001"}
    assert fields["message"] == {"type": "text", "text": error_reply().text}
    assert fields["msgid"] == "wa-1-error-m"


def test_an_error_reply_without_a_bot_is_in_the_clients_name() -> None:
    """Incoming, so it has no receiver; silent, so it makes neither lead nor notification."""
    fields = payload(error_reply())
    assert fields["sender"] == payload(message())["sender"]
    assert "receiver" not in fields
    assert fields["silent"] is True


@pytest.mark.parametrize("bot_id", [BOT, None])
def test_an_error_reply_binds_the_chat_that_amocrm_began(bot_id: str | None) -> None:
    """With both of amoCRM's ids, whoever it is from: else it would open a second chat."""
    bound = error_reply(crm_chat=CHAT, crm_client=PERSON)
    fields = payload(bound, bot_id=bot_id)
    assert fields["conversation_ref_id"] == CHAT
    assert fields["receiver" if bot_id else "sender"]["ref_id"] == PERSON


def test_an_error_reply_hides_what_it_is_about() -> None:
    """An answer that quotes it brings neither the words nor the number into the log."""
    private = translate.private_texts(error_reply())
    assert error_reply().text in private
    assert "79991234567" in private
