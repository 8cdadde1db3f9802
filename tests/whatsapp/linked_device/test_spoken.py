"""Polls, orders, lists, buttons and templates are read as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from relay.domain.contents import Content, Text, Unsupported
from relay.whatsapp.linked_device.content import content_of
from relay.whatsapp.linked_device.protobufs import new_message


def says(field: str, part: dict[str, Any]) -> Content | None:
    message = new_message()
    ParseDict({field: part}, message)
    return content_of(message)


OPTIONS = {"name": "Когда удобно?", "options": [{"optionName": "утром"}, {"optionName": "вечером"}]}
TEMPLATE = {
    "hydratedTitleText": "Скидка",
    "hydratedContentText": "Только сегодня",
    "hydratedFooterText": "до 18:00",
    "hydratedButtons": [
        {"quickReplyButton": {"displayText": "Хочу"}},
        {"urlButton": {"displayText": "Сайт", "URL": "https://example.com"}},
        {"callButton": {"displayText": "Позвонить", "phoneNumber": "+74950000001"}},
    ],
}
TEMPLATE_READS = (
    "Скидка\nТолько сегодня\nдо 18:00\n[Хочу]\n[Сайт] https://example.com\n[Позвонить] +74950000001"
)


@pytest.mark.parametrize(
    ("field", "part", "text"),
    [
        *(
            (f"pollCreationMessage{version}", OPTIONS, "📊 Когда удобно?\n• утром\n• вечером")
            for version in ("", "V2", "V3", "V5", "V6")
        ),
        (
            "orderMessage",
            {
                "orderTitle": "Диван",
                "itemCount": 2,
                "totalAmount1000": "19990500",
                "totalCurrencyCode": "RUB",
                "message": "доставка?",
            },
            "🛒 Диван × 2 19990.50 RUB\nдоставка?",
        ),
        (
            "productMessage",
            {"product": {"title": "Диван", "priceAmount1000": "5000", "currencyCode": "EUR"}},
            "🛒 Диван 5 EUR",
        ),
        (
            "eventMessage",
            {"name": "Замер", "startTime": "1770000000", "description": "у клиента"},
            "📅 Замер\n2026-02-02 02:40 UTC\nу клиента",
        ),
        (
            "groupInviteMessage",
            {"groupName": "Стройка", "caption": "зайдите"},
            "👥 Стройка\nзайдите",
        ),
        (
            "listMessage",
            {
                "title": "Меню",
                "description": "выберите",
                "buttonText": "Открыть",
                "sections": [
                    {"title": "Пицца", "rows": [{"title": "Маргарита", "description": "30 см"}]}
                ],
            },
            "Меню\nвыберите\nПицца\n• Маргарита (30 см)\n[Открыть]",
        ),
        ("listResponseMessage", {"title": "Маргарита", "description": "30 см"}, "Маргарита\n30 см"),
        (
            "buttonsMessage",
            {"contentText": "Удобно?", "buttons": [{"buttonText": {"displayText": "Да"}}]},
            "Удобно?\n[Да]",
        ),
        ("buttonsResponseMessage", {"selectedDisplayText": "Да"}, "Да"),
        ("templateButtonReplyMessage", {"selectedDisplayText": "Хочу"}, "Хочу"),
        ("templateMessage", {"hydratedTemplate": TEMPLATE}, TEMPLATE_READS),
        ("templateMessage", {"hydratedFourRowTemplate": TEMPLATE}, TEMPLATE_READS),
        (
            "interactiveMessage",
            {
                "header": {"title": "Чек"},
                "body": {"text": "на 500 ₽"},
                "footer": {"text": "спасибо"},
            },
            "Чек\nна 500 ₽\nспасибо",
        ),
        ("interactiveResponseMessage", {"body": {"text": "Оплачено"}}, "Оплачено"),
    ],
)
def test_what_a_person_reads_is_in_the_chat(field: str, part: dict[str, Any], text: str) -> None:
    """In the order of the phone's screen; buttons in brackets."""
    assert says(field, part) == Text(text)


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("pollCreationMessageV3", "poll"),
        ("orderMessage", "order"),
        ("listMessage", "list"),
        ("buttonsMessage", "buttons"),
    ],
)
def test_one_that_says_nothing_is_named(field: str, word: str) -> None:
    """A placeholder, not an empty message."""
    assert says(field, {}) == Unsupported(word)


def test_a_moment_beyond_all_calendars_is_left_out() -> None:
    """A sender may write what he likes."""
    assert says("eventMessage", {"name": "x", "startTime": "9223372036854775807"}) == Text("📅 x")
