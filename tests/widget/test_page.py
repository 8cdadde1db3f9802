"""The settings page, in a real browser: what it shows to whom, and what it does to the file."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo.browser import client_writes, save

pytestmark = pytest.mark.browser

OLGA, IGOR, PAVEL = 17, 18, 19  # an administrator, a manager, one who is not in the file

Open = Callable[..., Page]


@pytest.fixture
def open_page(page: Page, browser: Browser) -> Open:
    """Opens the settings as a user; nothing on the page may throw."""

    def opened(user: int = OLGA, language: str = "ru") -> Page:
        settings = browser.new_page(viewport={"width": 1200, "height": 900}, locale="ru-RU")
        settings.on("pageerror", lambda error: pytest.fail(str(error)))
        crm = page.locator("#cards").get_attribute("href") or ""
        settings.goto(f"{crm}?user={user}&lang={language}#/settings")
        expect(settings.locator("body[data-ready=true]")).to_be_attached()
        expect(settings.locator(".relay-wa-status")).not_to_have_text(re.compile("Загружаем|Load"))
        return settings

    return opened


def test_a_switch_changes_its_line_and_nothing_else(page: Page, open_page: Open) -> None:
    """Saved on the page, it is in the file, with every remark where it was, and in force."""
    before = _file(page)
    settings = open_page()
    settings.get_by_label("Показывать в amoCRM сообщения, набранные на телефоне").uncheck()
    expect(settings.get_by_text("Изменений: 1")).to_be_visible()
    settings.get_by_role("button", name="Сохранить", exact=True).click()
    expect(settings.get_by_text("Сохранено, уже действует.")).to_be_visible()
    expect(page.get_by_text("Принято без перезапуска")).to_be_visible()
    expected = before.replace("import_sent_from_phone: true ", "import_sent_from_phone: false")
    assert re.sub(" +", " ", _file(page)) == re.sub(" +", " ", expected)


def test_channels_are_shown_with_their_state(open_page: Open) -> None:
    """Each by its title, with its number and how it stands."""
    settings = open_page()
    sales = settings.locator(".relay-wa-channel", has_text="Отдел продаж")
    expect(sales).to_contain_text(re.compile(r"\+7\d{10} · работает"))
    expect(sales).to_have_attribute("data-state", "connected")


@pytest.mark.parametrize("way", ["qr", "letters"])
def test_a_number_is_removed_on_the_phone_and_linked_again(
    page: Page, open_page: Open, way: str
) -> None:
    """The page sees it go, shows a code that the phone takes, and messages pass again."""
    settings = open_page()
    sales = settings.locator(".relay-wa-channel", has_text="Отдел продаж")
    expect(sales.get_by_role("button")).to_have_count(0)
    device = page.locator("#line-link")
    device.click()
    expect(sales).to_have_attribute("data-state", "logged_out")
    expect(sales).to_contain_text("Подключите номер снова.")
    expect(device).to_be_disabled()
    client_writes(page, "Пока вас не было")
    sales.get_by_role("button", name="Подключить номер").click()
    dialog = settings.get_by_role("dialog")
    expect(dialog.locator("svg")).to_be_visible()
    if way == "letters":
        dialog.get_by_role("button", name="Ввести код вместо QR").click()
        dialog.get_by_label("Номер этого WhatsApp").fill("+74950000001")
        dialog.get_by_role("button", name="Получить код").click()
        expect(dialog.locator("output")).to_have_text(re.compile("^[A-Z0-9]{4}-[A-Z0-9]{4}$"))
    expect(device).to_have_text("Отсканировать код из amoCRM")
    device.click()
    expect(dialog.get_by_role("status").first).to_contain_text("Номер подключён: +74950000001")
    dialog.get_by_role("button", name="Закрыть").click()
    expect(sales).to_have_attribute("data-state", "connected")
    expect(page.locator("#crm-chat").get_by_text("Пока вас не было")).to_be_visible()


def test_the_blacklist_is_pasted_searched_and_thinned(page: Page, open_page: Open) -> None:
    """Many at once by paste, patterns too; a search finds them; what is removed is gone."""
    settings = open_page()
    settings.get_by_label("Добавить номера").fill("+79001234567\n+7900555*, 8 900 765 43 21")
    settings.get_by_role("button", name="Добавить", exact=True).click()
    _save(settings)
    expect(settings.get_by_text("Найдено: 3 из 3")).to_be_visible()
    _in_file(page, '"+7900555*"')
    search = settings.locator(".relay-wa-section", has_text="Чёрный список").get_by_label("Поиск")
    search.fill("765-43")
    expect(settings.get_by_text("Найдено: 1 из 3")).to_be_visible()
    settings.get_by_role("button", name=re.compile("Убрать .*7654321")).click()
    _save(settings)
    expect(settings.get_by_text("Найдено: 2 из 2")).to_be_visible()
    with settings.expect_download() as download:
        settings.get_by_role("button", name="Выгрузить в файл").click()
    assert download.value.path().read_text() == "+79001234567\n+7900555*\n"


@pytest.mark.parametrize(
    "signature",
    ["Игорь: отдел # 1 - *главный* & !важный | да", "<img src=x onerror=document.title='bad'>"],
)
def test_a_user_is_bound_and_signs(page: Page, open_page: Open, signature: str) -> None:
    """A user of the account gets channels and a signature, whatever signs it holds."""
    settings = open_page()
    settings.get_by_label("Добавить сотрудника…").select_option(label="Павел")
    row = settings.locator("details", has_text="Павел")
    row.get_by_label("Поддержка").check()
    row.get_by_label("по умолчанию", exact=True).uncheck()
    row.get_by_label("Подпись под каждым сообщением").fill(signature)
    _save(settings)
    row = settings.locator("details", has_text="Павел")
    expect(row.locator("summary")).to_have_text("Павел — Поддержка")
    row.locator("summary").click()
    expect(row.get_by_label("Подпись под каждым сообщением")).to_have_value(signature)
    assert settings.title() == "CRM понарошку"
    _in_file(page, f"  {PAVEL}:")


def test_who_is_given_nothing_sees_nothing(open_page: Open) -> None:
    """A user without sections is told so; the server gave him nothing to show."""
    settings = open_page(IGOR)
    expect(settings.get_by_text("Администратор не открыл вам ни одного раздела.")).to_be_visible()
    expect(settings.locator(".relay-wa-section")).to_have_count(0)


def test_who_is_given_a_section_sees_it_alone(page: Page, open_page: Open) -> None:
    """The blacklist for Igor, and nothing else; what he changes there is saved."""
    _give(page, "blacklist")
    settings = open_page(IGOR)
    expect(settings.get_by_role("heading", name="Чёрный список")).to_be_visible()
    expect(settings.locator(".relay-wa-section")).to_have_count(1)
    settings.get_by_label("Добавить номера").fill("+79001234567")
    settings.get_by_role("button", name="Добавить", exact=True).click()
    _save(settings)
    _in_file(page, "+79001234567")


def test_two_editors(page: Page, open_page: Open) -> None:
    """Who comes second is told and shown what changed; nothing is overwritten until he says so."""
    settings = open_page()
    settings.get_by_label("Оставлять удалённые").uncheck()
    save(page, "default_channel: sales", "default_channel: support")
    expect(page.get_by_text("default channel is now support")).to_be_visible()
    settings.get_by_role("button", name="Сохранить", exact=True).click()
    expect(settings.get_by_text("Канал по умолчанию: sales → support")).to_be_visible()
    assert "keep_deleted: false" not in _file(page)
    settings.get_by_role("button", name="Сохранить мои изменения поверх").click()
    expect(settings.get_by_text("Сохранено, уже действует.")).to_be_visible()
    _in_file(page, "keep_deleted: false")
    _in_file(page, "default_channel: support")


def test_a_mistake_is_told_where_it_is(page: Page, open_page: Open) -> None:
    """What the file would not take is not written, and the page says which value it is."""
    before = _file(page)
    settings = open_page()
    settings.get_by_label("Добавить номера").fill("не номер")
    settings.get_by_role("button", name="Добавить", exact=True).click()
    settings.get_by_role("button", name="Сохранить", exact=True).click()
    expect(settings.locator(".relay-wa-status li")).to_have_text(
        re.compile("^Чёрный список · не номер: не похоже на номер")
    )
    assert _file(page) == before


def test_the_page_speaks_english(open_page: Open) -> None:
    """In amoCRM's language, every word of it."""
    settings = open_page(language="en")
    expect(settings.get_by_role("heading", name="Blacklist")).to_be_visible()
    words = settings.locator("#list_page_holder").inner_text()
    for name in ("Отдел продаж", "Поддержка", "Ольга", "Игорь", "Павел"):
        words = words.replace(name, "")
    assert not re.search("[а-яё]", words, re.I)


def test_a_relay_that_is_away_is_said_to_be(open_page: Open) -> None:
    """Nobody answers: the page says so and offers to try again, which then works."""
    settings = open_page()
    settings.route("**/widget/settings", lambda route: route.abort())
    settings.get_by_role("link", name="Анна").or_(settings.locator("#nav .brand")).first.click()
    settings.evaluate("location.hash = '#/'")
    settings.evaluate("location.hash = '#/settings'")
    expect(settings.get_by_text("Реле не отвечает. Попробуйте позже.")).to_be_visible()
    settings.unroute("**/widget/settings")
    settings.get_by_role("button", name="Повторить").click()
    expect(settings.get_by_role("heading", name="Каналы WhatsApp")).to_be_visible()


def _file(page: Page) -> str:
    return page.get_by_role("textbox", name="Файл настроек").input_value()


def _in_file(page: Page, text: str) -> None:
    """It stands in the file, as the demonstration's editor shows it."""
    field = page.get_by_role("textbox", name="Файл настроек")
    expect(field).to_have_value(re.compile(re.escape(text)))


def _save(settings: Page) -> None:
    settings.get_by_role("button", name="Сохранить", exact=True).click()
    expect(settings.get_by_text("Сохранено, уже действует.")).to_be_visible()


def _give(page: Page, section: str) -> None:
    """An administrator gives Igor a section, in the file."""
    text = _file(page).partition("\nusers:")[0]
    users = f"\nusers:\n  {IGOR}: {{channels: [sales], sections: [{section}]}}\n"
    page.get_by_role("textbox", name="Файл настроек").fill(text + users)
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_text("Принято без перезапуска")).to_be_visible()
