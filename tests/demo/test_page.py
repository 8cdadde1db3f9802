"""The page, by clicking through it in a real browser. Every text is what a person would read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo.browser import INSTALL, a_browser, a_demonstration, find_chromium

pytestmark = pytest.mark.browser

PATIENCE_MS = 15_000
"""For what takes a retry or a restart of the relay."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium here; it is installed by: {INSTALL}")
    with a_browser(path) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The page of a fresh demonstration, ready; it must not complain in the console."""
    complaints: list[str] = []
    with a_demonstration() as url:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ru-RU")
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        page.goto(url)
        expect(page.locator("body[data-ready=true]")).to_be_attached()
        yield page
        assert complaints == []
        page.close()


def client_writes(page: Page, text: str) -> None:
    page.get_by_label("Сообщение").and_(page.locator("#phone-text")).fill(text)
    page.locator("#phone-form").get_by_role("button", name="Отправить").click()


def manager_writes(page: Page, text: str) -> None:
    page.locator("#crm-text").fill(text)
    page.locator("#crm-form").get_by_role("button", name="Отправить").click()


def write_first(page: Page, phone: str, text: str) -> None:
    page.get_by_role("button", name="Написать первым").click()
    form = page.locator("#first-form")
    form.get_by_label("Номер").fill(phone)
    form.get_by_label("Сообщение").fill(text)
    form.get_by_role("button", name="Отправить").click()


def save(page: Page, old: str, new: str) -> None:
    field = page.get_by_role("textbox", name="Файл настроек")
    text = field.input_value()
    assert old in text
    field.fill(text.replace(old, new))
    page.get_by_role("button", name="Сохранить").click()


def in_crm(page: Page) -> list[str]:
    return page.locator("#crm-chat .said").all_text_contents()


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


def test_amocrm_down_holds_the_message_until_it_is_back(page: Page) -> None:
    """While amoCRM is down the journal shows attempts and the next try; then it is delivered."""
    down = page.get_by_role("button", name="Недоступна")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    client_writes(page, "Подождёт")
    expect(page.locator(".tale").get_by_text("Попытка 1 не удалась")).to_be_visible()
    expect(page.get_by_text("в amoCRM: 1")).to_be_visible()
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
    expect(page.get_by_text("settings.default_channel: sales → support")).to_be_visible()
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
    expect(page.get_by_text("language: ru → en")).to_be_visible()
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


def test_the_page_speaks_english(page: Page) -> None:
    """The switch changes every word of the page at once, and it is remembered."""
    page.get_by_role("button", name="Eng").click()
    expect(page.get_by_role("heading", name="The relay’s journal")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    words = page.locator("[data-t], [data-t-label]").evaluate_all(
        "nodes => nodes.map(n => (n.dataset.t ? n.textContent : '') + n.ariaLabel).join(' ')"
    )
    assert not any("а" <= letter <= "я" for letter in words.lower())
    page.reload()
    expect(page.get_by_role("heading", name="Configuration file")).to_be_visible()


def test_everything_can_be_named_and_reached(page: Page) -> None:
    """Every control has a name, no id stands twice, and a message can be sent by keyboard."""
    client_writes(page, "Привет")
    expect(page.locator("#crm-chat").get_by_text("Привет")).to_be_visible()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, [role=log]')]
            .filter(n => !(n.ariaLabel || n.textContent.trim() || n.labels?.length))
            .map(n => n.outerHTML)"""
    )
    assert nameless == []
    repeated = page.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map(n => n.id);
            return ids.filter((id, i) => ids.indexOf(id) !== i) }"""
    )
    assert repeated == []
    page.locator("#phone-text").focus()
    page.keyboard.type("С клавиатуры")
    page.keyboard.press("Enter")
    expect(page.locator("#crm-chat").get_by_text("С клавиатуры")).to_be_visible()


def test_nothing_sticks_out(page: Page) -> None:
    """From 1280 on, in both languages and with three channels, nothing is cut off sideways."""
    page.get_by_role("button", name="Подключить третий номер").click()
    expect(page.locator("#badges").get_by_text("Для своих")).to_be_visible()
    for width in (1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        for language in ("Рус", "Eng"):
            page.get_by_role("button", name=language).click()
            assert page.evaluate(_STICKING_OUT) == []


_STICKING_OUT = """() => {
    const right = (node) => node.getBoundingClientRect().right;
    const out = [...document.querySelectorAll('.panel, .top')].filter((box) =>
        [...box.querySelectorAll(':scope > :not(.chips), .panel-head > *')]
            .some((node) => right(node) > right(box) + 1));
    const cut = [...document.querySelectorAll('#badges, .panel-head, .troubles')]
        .filter((box) => box.scrollWidth > box.clientWidth);
    const whole = document.documentElement.scrollWidth > innerWidth ? [document.body] : [];
    return [...out, ...cut, ...whole].map((node) => node.className || node.id || node.tagName);
}"""


def test_nothing_jumps(page: Page) -> None:
    """Messages, troubles, a bad file and a kill move no panel and no control by a pixel."""
    before = page.evaluate(_PLACES)
    client_writes(page, "Привет")
    expect(page.locator("#crm-chat").get_by_text("Привет")).to_be_visible()
    page.get_by_role("button", name="Файл с двумя ошибками").click()
    expect(page.get_by_text("действуют прежние настройки")).to_be_visible()
    page.get_by_role("button", name="kill -9").click()
    expect(page.get_by_text("реле не запускается")).to_be_visible()
    assert page.evaluate(_PLACES) == before


_PLACES = """() => [...document.querySelectorAll('.panel, .composer, .troubles, h2, #save, #ideas')]
    .map((node) => node.getBoundingClientRect().toJSON())"""


def test_contrast_is_enough(page: Page) -> None:
    """Words stand out from what is behind them by 4.5 to 1, in light and in dark."""
    client_writes(page, "Привет")
    expect(page.locator("#crm-chat").get_by_text("Привет")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        assert page.evaluate(_FAINT) == []


_FAINT = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => {
        for (let n = node; n; n = n.parentElement) {
            const colour = rgba(getComputedStyle(n).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return rgba('white');
    };
    const faint = [];
    for (const node of document.querySelectorAll('main *, .top *')) {
        const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own || !node.checkVisibility()) continue;
        if (node.closest(':disabled, .visually-hidden, textarea, option, datalist')) continue;
        const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) faint.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
    }
    return [...new Set(faint)];
}"""
