"""The button beside every number, in a real browser, with the real relay behind it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.demo.browser import save

pytestmark = pytest.mark.browser

_ABSENT = "+7 900 000-00-99"
_BORIS = "8 (900) 000-00-02"


def test_a_client_who_wrote_is_green_for_free(card: Page) -> None:
    """Nobody was asked: his message proved it. The tooltip tells how old the news is."""
    button = _buttons(card).first
    expect(button).to_have_attribute("data-state", "registered")
    expect(button).to_have_attribute("title", re.compile("^Есть WhatsApp. Проверено только что"))
    expect(button).to_have_accessible_name(re.compile(r"^\+79000000001: Есть WhatsApp"))


def test_a_press_checks(card: Page) -> None:
    """A new number is black; a press makes it green or red; the keyboard does as well."""
    _add(card, _ABSENT)
    _add(card, _BORIS)
    absent, boris = _buttons(card).nth(1), _buttons(card).nth(2)
    expect(absent).to_have_attribute("data-state", "unknown")
    absent.click()
    expect(absent).to_have_attribute("data-state", "not_registered")
    expect(absent).to_have_attribute("title", re.compile("^Нет WhatsApp"))
    boris.focus()
    card.keyboard.press("Enter")
    expect(boris).to_have_attribute("data-state", "registered")
    expect(boris).to_have_attribute("aria-busy", "false")


def test_one_request_a_card(card: Page) -> None:
    """Twenty numbers are asked for at once, and nothing on the card moves when they are told."""
    for number in range(18):
        _add(card, f"+7900111{number:04}")
    with card.expect_response(re.compile("phone=%2B79001119999")):
        _add(card, "+79001119999")
    asked = _asked(card)
    card.evaluate(_WATCH_SHIFTS)
    card.get_by_role("link", name="Настройки виджета").click()
    card.get_by_role("link", name="Анна").click()
    card.locator(".js-linked-show-all-fields").click()
    expect(_buttons(card)).to_have_count(20)
    expect(_buttons(card).first).to_have_attribute("data-state", "registered")
    # Three at first, the rest when they are unfolded; never one for each.
    assert len(asked) <= 2
    assert card.evaluate("window.shifted") == 0


@pytest.mark.parametrize("entity", ["leads", "companies", "customers"])
def test_every_kind_of_card_has_buttons(shared_card: Page, entity: str) -> None:
    """A lead's, a company's and a customer's as well as a contact's."""
    place = shared_card.url.rpartition("/")[2]
    shared_card.evaluate("(place) => { location.hash = place }", f"#/{entity}/{place}")
    expect(shared_card.locator("body")).to_have_attribute("data-at", f"#/{entity}/{place}")
    expect(_buttons(shared_card)).to_have_count(1)
    expect(_buttons(shared_card).first).to_have_attribute("data-state", "registered")


def test_a_changed_number_is_another_number(card: Page) -> None:
    """The button tells of what stands in the field now; an empty field has none."""
    field = card.get_by_label("Телефон").first
    expect(_buttons(card).first).to_have_attribute("data-state", "registered")
    field.fill(_ABSENT)
    expect(_buttons(card).first).to_have_attribute("data-state", "unknown")
    field.fill("")
    expect(_buttons(card)).to_have_count(0)


def test_a_card_drawn_again_has_its_buttons_again(shared_card: Page) -> None:
    """amoCRM throws fields away and draws them anew; the buttons follow, one each."""
    expect(_buttons(shared_card)).to_have_count(1)
    shared_card.evaluate(
        """() => { const form = document.querySelector('.card-fields');
            form.innerHTML = form.innerHTML.replace(/<button[^>]*relay-wa.*?<\\/button>/g, '') }"""
    )
    expect(_buttons(shared_card)).to_have_count(1)
    expect(_buttons(shared_card).first).to_have_attribute("data-state", "registered")


def test_a_strange_card_is_left_alone(shared_card: Page) -> None:
    """Where no field is recognised, the right column lists the numbers with their buttons."""
    shared_card.goto(shared_card.url.replace("/ui/", "/ui/?strange"))
    side = shared_card.get_by_label("Виджеты")
    expect(side.get_by_text("Анна · +79000000001")).to_be_visible()
    expect(side.locator(".relay-wa")).to_have_attribute("data-state", "registered")
    expect(shared_card.locator(".next-gen-card .relay-wa")).to_have_count(0)


def test_no_buttons_while_the_check_is_off(page: Page, card: Page) -> None:
    """``phone_check: false`` takes them away at the next card, and asks nothing more."""
    expect(_buttons(card)).to_have_count(1)
    save(page, "  default_channel: sales", "  phone_check: false\n  default_channel: sales")
    expect(page.get_by_text("Принято без перезапуска")).to_be_visible()
    _open_again(card)
    expect(_buttons(card)).to_have_count(0)


def test_a_failure_is_never_red(page: Page, card: Page) -> None:
    """While WhatsApp cannot be reached a press says so, and the colour stays."""
    _add(card, _BORIS)
    for channel in ("Отдел продаж", "Поддержка"):
        _cut(page, channel)
    button = _buttons(card).nth(1)
    button.click()
    expect(button).to_have_attribute("title", re.compile("Не удалось проверить"))
    expect(button).to_have_attribute("data-state", "unknown")


def test_a_dead_relay_does_not_hurt_the_card(shared_card: Page) -> None:
    """Nobody answers: the card works, the buttons are black, a press says "try later"."""
    shared_card.route("**/widget/phones**", lambda route: route.abort())
    _open_again(shared_card)
    button = _buttons(shared_card).first
    expect(button).to_have_attribute("data-state", "unknown")
    button.click()
    expect(button).to_have_attribute("title", re.compile("Не удалось проверить, попробуйте позже"))
    expect(button).to_have_attribute("data-state", "unknown")


def test_a_field_cannot_inject(card: Page) -> None:
    """What stands in a phone field is text and nothing else."""
    _add(card, "+7900<img src=x onerror=document.title='bad'>1234567")
    expect(_buttons(card)).to_have_count(2)
    _buttons(card).nth(1).click()
    expect(_buttons(card).nth(1)).to_have_attribute("aria-busy", "false")
    assert card.title() == "CRM понарошку"
    assert card.locator("img").count() == 0


def _buttons(card: Page) -> Locator:
    return card.locator(".card-fields .relay-wa")


def _add(card: Page, number: str) -> None:
    """Somebody types one more number into the card."""
    card.get_by_role("button", name="добавить телефон").click()
    field = card.get_by_label("Телефон").last
    field.fill(number)
    with card.expect_response("**/ui/phones"):
        field.blur()


def _open_again(card: Page) -> None:
    card.get_by_role("link", name="Настройки виджета").click()
    card.get_by_role("link", name="Анна").click()


def _asked(card: Page) -> list[str]:
    """The questions about numbers from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/widget/phones" in request.url and request.method == "GET":
            asked.append(request.url)

    card.on("request", note)
    return asked


def _cut(page: Page, channel: str) -> None:
    page.locator("#lines").get_by_role("button", name=channel).click()
    switch = page.locator("#line-on")
    if switch.get_attribute("aria-checked") == "true":
        switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")


_WATCH_SHIFTS = """() => { window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const { hadRecentInput, value } of list.getEntries())
            if (!hadRecentInput) window.shifted += value;
    }).observe({type: 'layout-shift', buffered: false}) }"""
