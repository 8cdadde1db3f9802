"""The page, by clicking through it in a real browser. Every text is what a person would read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.demo.browser import client_writes, in_crm, manager_writes, press, save, write_first

pytestmark = pytest.mark.browser


def test_a_conversation_from_the_first_word_to_read(page: Page) -> None:
    """A client writes, amoCRM shows it; the manager answers, and sees it delivered, then read."""
    client_writes(page, "Есть ли доставка?")
    crm = page.get_by_role("log", name="Чат в amoCRM")
    expect(crm.get_by_text("Есть ли доставка?")).to_be_visible()
    expect(page.locator("#phone-chat [data-tick=delivered]")).to_be_visible()
    manager_writes(page, "Да, за два дня")
    phone = page.get_by_role("log", name="Чат на телефоне")
    expect(phone.get_by_text("Да, за два дня")).to_be_visible()
    expect(crm.get_by_text("прочитано")).to_be_visible()
    journal = page.get_by_label("Журнал реле").last
    expect(journal.get_by_text("Статус передан в amoCRM").first).to_be_visible()
    page.get_by_role("button", name="Компания").click()
    expect(phone.locator("[data-tick=read]")).to_be_visible()


def test_what_becomes_of_a_message_is_seen_on_both_sides(page: Page) -> None:
    """Edited, answered and reacted to on the phone; answered and reacted to in amoCRM."""
    phone, crm = page.locator("#phone-chat"), page.locator("#crm-chat")
    client_writes(page, "в 5")
    expect(crm.get_by_text("в 5", exact=True)).to_be_visible()
    press(phone.locator(".bubble").last, "Изменить")
    client_writes(page, "в 6")
    expect(crm.locator(".said", has_text="в 6")).to_be_visible()
    press(crm.locator(".bubble").last, "Реакция ❤️")
    expect(phone.locator(".reactions", has_text="❤️")).to_be_visible()
    press(crm.locator(".bubble").last, "Ответить")
    manager_writes(page, "Ждём")
    expect(phone.locator(".bubble", has_text="Ждём").locator(".quote")).to_have_text("в 6")
    press(phone.locator(".bubble", has_text="Ждём"), "Реакция 👍")
    expect(crm.locator(".reactions", has_text="👍")).to_be_visible()
    press(phone.locator(".bubble", has_text="Ждём"), "Ответить")
    client_writes(page, "Буду")
    expect(crm.locator(".bubble", has_text="Буду").locator(".quote")).to_have_text("Ждём")


def test_what_is_taken_back_is_marked_in_amocrm(page: Page) -> None:
    """Gone on the phone; readable in amoCRM, and marked."""
    client_writes(page, "ой")
    expect(page.locator("#crm-chat").get_by_text("ой", exact=True)).to_be_visible()
    press(page.locator("#phone-chat .bubble").last, "Удалить у всех")
    expect(page.locator("#phone-chat").get_by_text("Сообщение удалено")).to_be_visible()
    expect(page.locator("#crm-chat").get_by_text("[Удалено] ой")).to_be_visible()


def test_amocrm_down_holds_the_message_until_it_is_back(page: Page) -> None:
    """While amoCRM is down the journal shows attempts and the next try; then it is delivered."""
    down = page.get_by_role("button", name="Недоступна")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    client_writes(page, "Подождёт")
    expect(page.locator(".tale").get_by_text("Попытка 1 не удалась")).to_be_visible()
    expect(page.get_by_text("в amoCRM: 2")).to_be_visible()  # the message, and the card's number
    assert in_crm(page) == []
    down.click()
    expect(page.locator("#crm-chat").get_by_text("Подождёт")).to_be_visible()
    expect(page.locator(".tale").get_by_text("попытки")).to_be_visible()
    expect(page.get_by_text("в amoCRM: 0")).to_be_visible()


def test_a_lie_makes_exactly_one_message(page: Page) -> None:
    """amoCRM takes the message and breaks off: it is offered again, and stands there once."""
    page.get_by_role("button", name="Солжёт").click()
    client_writes(page, "Ровно одно")
    expect(page.locator(".tale .step").get_by_text("Попытка 1 не удалась")).to_be_visible()
    expect(page.locator(".tale .step").get_by_text("Доставлено с 2-й попытки")).to_be_visible()
    expect(page.locator("[data-trouble=lie]")).to_have_attribute("aria-pressed", "false")
    assert in_crm(page) == ["Ровно одно"]


def test_a_saved_change_is_shown_and_acts(page: Page) -> None:
    """A new default channel: the relay names the change, and the next first message goes by it."""
    save(page, "default_channel: sales", "default_channel: support")
    expect(page.get_by_text("Принято без перезапуска")).to_be_visible()
    expect(page.get_by_text("default channel is now support (was sales)")).to_be_visible()
    write_first(page, "8 900 000 00 03", "Добрый день, Вера")
    page.get_by_role("button", name="Вера").click()
    page.locator("#lines").get_by_role("button", name="Поддержка").click()
    expect(page.locator("#phone-chat").get_by_text("Добрый день, Вера")).to_be_visible()
    expect(page.locator("#process")).to_contain_text("запусков: 1")


def test_the_language_of_reasons_acts_at_once(page: Page) -> None:
    """A number that is not on WhatsApp: error 904, in the language that the file has now."""
    write_first(page, "+7 900 000-00-99", "Здравствуйте")
    crm = page.locator("#crm-chat")
    expect(crm.get_by_text("Ошибка 904: Номер не зарегистрирован в WhatsApp")).to_be_visible()
    page.get_by_role("button", name="Причины отказов по-английски").click()
    expect(page.get_by_text("language is now en (was ru)")).to_be_visible()
    manager_writes(page, "Ещё раз")
    expect(crm.get_by_text("Ошибка 904: The number is not on WhatsApp")).to_be_visible()


def test_a_bad_file_shows_its_errors_and_changes_nothing(page: Page) -> None:
    """Every mistake with its place, marked in the editor; the settings before stay in force."""
    page.get_by_role("button", name="Файл с двумя ошибками").click()
    expect(page.get_by_text("действуют прежние настройки")).to_be_visible()
    mistakes = page.locator(".mistake")
    expect(mistakes).to_have_count(2)
    expect(mistakes.first).to_contain_text("строка 4, столбец 1")
    expect(mistakes.first).to_contain_text("language")
    expect(page.locator(".gutter .bad")).to_have_count(2)
    mistakes.first.click()
    expect(page.get_by_role("textbox", name="Файл настроек")).to_be_focused()
    write_first(page, "8 900 000 00 03", "По-прежнему")
    page.get_by_role("button", name="Вера").click()
    expect(page.locator("#phone-chat").get_by_text("По-прежнему")).to_be_visible()
    page.get_by_role("button", name="Вернуть как было").click()
    expect(page.get_by_text("Файл снова в порядке")).to_be_visible()


def test_kill_9_loses_nothing(page: Page) -> None:
    """Killed with a message on its way and another written meanwhile, the relay delivers both."""
    client_writes(page, "До")
    expect(page.locator("#crm-chat").get_by_text("До")).to_be_visible()
    page.get_by_role("button", name="kill -9").click()
    client_writes(page, "Во время")
    manager_writes(page, "И ответ")
    expect(page.locator("#phone-chat").get_by_text("И ответ")).to_be_visible()
    expect(page.locator("#crm-chat").get_by_text("Во время")).to_be_visible()
    expect(page.locator("#process")).to_contain_text("запусков: 2")
    assert sorted(in_crm(page)) == ["Во время", "До", "И ответ"]


def test_a_phone_that_is_off_gets_one_tick(page: Page) -> None:
    """A client's phone that is off: sent, not delivered; once it is on, delivered and read."""
    client_writes(page, "Привет")
    expect(page.locator("#crm-chat").get_by_text("Привет")).to_be_visible()
    switch = page.get_by_role("switch", name="Телефон клиента включён")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    manager_writes(page, "Вы тут?")
    expect(page.locator("#crm-chat").get_by_text("отправлено")).to_be_visible()
    switch.click()
    expect(page.locator("#crm-chat").get_by_text("прочитано")).to_be_visible()


def test_a_channel_cut_off_holds_and_recovers(page: Page) -> None:
    """Without WhatsApp the health says so and what is written waits; back again, it arrives."""
    switch = page.get_by_role("switch", name="Канал на связи с WhatsApp")
    switch.click()
    expect(page.get_by_role("listitem").filter(has_text="нет связи")).to_be_visible()
    client_writes(page, "Из тоннеля")
    expect(page.get_by_text("WhatsApp хранит: 1")).to_be_visible()
    switch.click()
    expect(page.locator("#crm-chat").get_by_text("Из тоннеля")).to_be_visible()
