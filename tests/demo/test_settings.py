"""Each rule of the settings, switched and seen to act, by clicking through the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from relay.config.load import parse
from relay.config.secret import SecretSource
from tests.demo.browser import client_writes, in_crm, manager_writes, write_first

pytestmark = pytest.mark.browser

SIGNED = "\n\nОльга, отдел продаж"


def switch(page: Page, name: str, *, on: bool) -> None:
    """Turn a rule on or off: the line of the file changes, and the relay takes it."""
    button = page.get_by_role("switch", name=name)
    expect(button).to_have_attribute("aria-checked", str(not on).lower())
    button.click()
    expect(button).to_have_attribute("aria-checked", str(on).lower())
    expect(page.locator("#verdict")).to_have_attribute("data-outcome", "taken")


def choose(page: Page, *, person: str = "", channel: str = "") -> None:
    """Whose phone is shown, and his chat with which channel."""
    for row, name in (("#people", person), ("#lines", channel)):
        if name:
            page.locator(row).get_by_role("button", name=name).click()


def crm(page: Page, text: str) -> Locator:
    """A message of the chat that is shown, by its whole text."""
    return page.locator("#crm-chat .said").get_by_text(text, exact=True)


def on_phone(page: Page) -> list[str]:
    """The texts of the chat on the phone, in order."""
    return page.locator("#phone-chat .said").all_text_contents()


def test_marks_open_what_reaches_amocrm(page: Page) -> None:
    """The title of the channel, and that it was typed on the phone; each with its switch."""
    choose(page, channel="Поддержка")
    client_writes(page, "Не включается")
    expect(crm(page, "[Поддержка] Не включается")).to_be_visible()
    page.get_by_role("button", name="Компания").click()
    client_writes(page, "Сейчас посмотрим")
    expect(crm(page, "[Поддержка] [Отправлено с телефона] Сейчас посмотрим")).to_be_visible()
    switch(page, "Название канала", on=False)
    client_writes(page, "Готово")
    expect(crm(page, "[Отправлено с телефона] Готово")).to_be_visible()
    switch(page, "Набранное на телефоне", on=False)
    client_writes(page, "Это останется здесь")
    expect(page.get_by_text("с телефона, импорт выключен")).to_be_visible()
    assert len(in_crm(page)) == 3


def test_a_listed_client_does_not_enter(page: Page) -> None:
    """Nothing of his conversation reaches amoCRM while he is listed; then it does again."""
    switch(page, "Борис в чёрном списке", on=True)
    expect(page.get_by_text("blacklist: +1 number")).to_be_visible()
    choose(page, person="Борис")
    client_writes(page, "Купите рекламу")
    expect(page.locator(".tale").get_by_text("номер в чёрном списке")).to_be_visible()
    expect(page.get_by_text("Чатов пока нет")).to_be_visible()
    switch(page, "Борис в чёрном списке", on=False)
    client_writes(page, "А скидка есть?")
    expect(crm(page, "А скидка есть?")).to_be_visible()
    assert in_crm(page) == ["А скидка есть?"]


def test_the_client_sees_the_signature_and_amocrm_does_not(page: Page) -> None:
    """It goes under each message of the manager; switched off, under none."""
    client_writes(page, "Есть доставка?")
    expect(crm(page, "Есть доставка?")).to_be_visible()
    manager_writes(page, "Да")
    expect(crm(page, "Да")).to_be_visible()
    expect(page.locator("#phone-chat").get_by_text("Ольга, отдел продаж")).to_be_visible()
    switch(page, "Подпись Ольги", on=False)
    manager_writes(page, "До завтра")
    expect(page.locator("#phone-chat").get_by_text("До завтра")).to_be_visible()
    assert on_phone(page)[1:] == [f"Да{SIGNED}", "До завтра"]


def test_who_writes_decides_the_channel(page: Page) -> None:
    """A manager who is not bound to the chat's channel answers through his own."""
    client_writes(page, "Сколько стоит?")
    expect(crm(page, "Сколько стоит?")).to_be_visible()
    page.locator("#author").select_option("Игорь")
    manager_writes(page, "Тысячу")
    choose(page, channel="Поддержка")
    expect(page.locator("#phone-chat").get_by_text("Тысячу")).to_be_visible()
    switch(page, "Игорь отвечает и за отдел продаж", on=True)
    expect(page.get_by_text("Игорь may now send through sales")).to_be_visible()
    manager_writes(page, "И ещё доставка")
    choose(page, channel="Отдел продаж")
    expect(page.locator("#phone-chat").get_by_text("И ещё доставка")).to_be_visible()


def test_who_is_not_in_the_file_cannot_send(page: Page) -> None:
    """He sees a refusal with its reason and the next step; with everyone_else he may send."""
    client_writes(page, "Алло?")
    expect(crm(page, "Алло?")).to_be_visible()
    page.locator("#author").select_option("Павел")
    manager_writes(page, "Слушаю")
    expect(page.locator("#crm-chat .failed").get_by_text("Ошибка 905")).to_be_visible()
    switch(page, "Писать может и Павел", on=True)
    expect(page.get_by_text("everyone else may now send through support")).to_be_visible()
    manager_writes(page, "Теперь слушаю")
    choose(page, channel="Поддержка")
    expect(page.locator("#phone-chat").get_by_text("Теперь слушаю")).to_be_visible()
    assert on_phone(page) == ["Теперь слушаю"]


def test_a_number_without_whatsapp_is_answered_in_the_chat(page: Page) -> None:
    """Error 904 at the message, and a message in the chat; switched off, the error alone."""
    write_first(page, "8 900 000-00-99", "Здравствуйте")
    expect(page.locator("#crm-chat .failed").get_by_text("Ошибка 904")).to_be_visible()
    reply = page.locator("#crm-chat .error-reply")
    expect(reply).to_have_count(1)
    expect(reply).to_contain_text("[GNZS ERROR] Номер не зарегистрирован в WhatsApp")
    expect(
        page.locator(".tale[data-end=dead]").get_by_text("Ответ об ошибке в чате")
    ).to_be_visible()
    switch(page, "Нет WhatsApp", on=False)
    manager_writes(page, "Ещё раз")
    expect(page.locator("#crm-chat .failed")).to_have_count(2)
    expect(reply).to_have_count(1)


def test_who_is_not_known_yet_is_waited_for(page: Page) -> None:
    """A robot's first message: the journal says what it waits for, and calls it no failure."""
    client_writes(page, "Спасибо")
    expect(crm(page, "Спасибо")).to_be_visible()
    page.locator("#author").select_option("Salesbot")
    manager_writes(page, "Оцените нас")
    expect(page.get_by_text("реле узнаёт у amoCRM, кто это написал")).to_be_visible()
    expect(page.locator(".tale .step").get_by_text("Ждёт")).to_be_visible()


def test_8_becomes_7_in_the_card(page: Page) -> None:
    """A number that a manager wrote as people do becomes international when the client answers."""
    choose(page, person="Вера")
    write_first(page, "8 900 000 00 03", "Добрый день, Вера")
    expect(page.locator("#phone-chat").get_by_text("Добрый день, Вера")).to_be_visible()
    expect(page.locator("#card .number")).to_have_text("8 900 000 00 03")
    client_writes(page, "Добрый")
    expect(page.locator("#card .rewritten")).to_have_text("+79000000003")
    expect(page.locator("#card s")).to_have_text("8 900 000 00 03")


def test_a_chosen_source_is_written_from(page: Page) -> None:
    """Write first: through the source's channel, if the manager is bound to it."""
    choose(page, person="Вера", channel="Поддержка")
    page.get_by_role("button", name="Написать первым").click()
    page.get_by_label("Источник").select_option("Поддержка")
    page.get_by_role("button", name="Написать первым").click()
    write_first(page, "+7 900 000-00-03", "Из поддержки")
    expect(page.locator("#phone-chat").get_by_text("Из поддержки")).to_be_visible()


def test_a_switch_shows_its_line(page: Page) -> None:
    """The file scrolls to the line that a switch has changed, and lights it up."""
    switch(page, "8 → +7", on=False)
    row = page.locator("#paint .touched")
    expect(row).to_contain_text("phone_8_to_7: false")
    expect(row).to_be_in_viewport()


def test_a_switch_there_and_back_leaves_the_file_as_it_was(page: Page) -> None:
    """Every switch makes a good file, both ways, and touches nothing but its own lines."""
    field = page.get_by_role("textbox", name="Файл настроек")
    first = field.input_value()
    rules = page.locator("#rules [role=switch]")
    assert rules.count() == 8
    for rule in rules.all():
        for _ in range(2):
            before = field.input_value()
            rule.click()
            after = field.input_value()
            parse(after, Path("config.yaml"), SecretSource.of({}))
            changed = [a != b for a, b in zip(before.split("\n"), after.split("\n"), strict=True)]
            assert 1 <= sum(changed) <= 2
        assert field.input_value() == first


def test_two_clicks_in_a_row_are_there_and_back(page: Page) -> None:
    """The second edits what the first has made, though the relay has not seen that yet."""
    field = page.get_by_role("textbox", name="Файл настроек")
    first = field.input_value()
    rule = page.get_by_role("switch", name="8 → +7")
    rule.evaluate("button => { button.click(); button.click(); }")
    assert field.input_value() == first
    rule.evaluate("button => { button.click(); button.click(); button.click(); }")
    assert "phone_8_to_7: false" in field.input_value()
    expect(rule).to_have_attribute("aria-checked", "false")
    # "same" if the relay had read the last text before the page's server saw it saved.
    expect(page.locator("#verdict")).to_have_attribute("data-outcome", re.compile("taken|same"))
    assert "phone_8_to_7: false" in field.input_value()
