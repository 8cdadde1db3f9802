"""How the page looks and reads: in both languages, at every width, by keyboard, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.demo.browser import attach, client_writes, crm, send

pytestmark = pytest.mark.browser


def test_the_page_speaks_english(shared: Page) -> None:
    """The switch changes every word of the page at once, and it is remembered."""
    shared.get_by_role("button", name="Eng").click()
    expect(shared.get_by_role("heading", name="The relay’s journal")).to_be_visible()
    expect(shared.locator("html")).to_have_attribute("lang", "en")
    words = shared.locator("[data-t], [data-t-label]").evaluate_all(
        "nodes => nodes.map(n => (n.dataset.t ? n.textContent : '') + n.ariaLabel).join(' ')"
    )
    assert not any("а" <= letter <= "я" for letter in words.lower())
    shared.reload()
    expect(shared.get_by_role("heading", name="Configuration file")).to_be_visible()


def test_everything_can_be_named_and_reached(shared: Page) -> None:
    """Every control has a name, no id stands twice, and a message can be sent by keyboard."""
    client_writes(shared, "Привет")
    for sample in ("Голосовое сообщение", "Прайс-лист, PDF"):
        attach(shared, "phone", sample)
    send(shared, "phone")
    expect(crm(shared, ".paper")).to_be_visible()
    nameless = shared.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, video, a, '
                + '[role=log], [role=group]')]
            .filter(n => !(n.ariaLabel || n.textContent.trim() || n.labels?.length))
            .map(n => n.outerHTML)"""
    )
    assert nameless == []
    repeated = shared.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map(n => n.id);
            return ids.filter((id, i) => ids.indexOf(id) !== i) }"""
    )
    assert repeated == []
    shared.locator("#phone-attach").focus()
    shared.keyboard.press("Enter")
    expect(shared.get_by_role("button", name="Фото кресла")).to_be_focused()
    shared.keyboard.press("Escape")
    expect(shared.locator("#phone-attach")).to_be_focused()
    expect(shared.locator("#phone-menu")).to_be_hidden()
    shared.locator("#phone-text").focus()
    shared.keyboard.type("С клавиатуры")
    shared.keyboard.press("Enter")
    expect(shared.locator("#crm-chat").get_by_text("С клавиатуры")).to_be_visible()


def test_nothing_sticks_out(page: Page) -> None:
    """From 1280 on, in both languages and with three channels, nothing is cut off sideways."""
    page.get_by_role("button", name="Подключить третий номер").click()
    expect(page.locator("#badges").get_by_text("Для своих")).to_be_visible()
    for width in (1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        for language in ("Рус", "Eng"):
            page.get_by_role("button", name=language).click()
            assert page.evaluate(_STICKING_OUT) == []


def test_a_narrow_page_holds_everything(shared: Page) -> None:
    """On the width of a phone too nothing sticks out of its panel, files included."""
    shared.set_viewport_size({"width": 390, "height": 844})
    for sample in ("Фото кресла", "Прайс-лист, PDF", "Голосовое сообщение", "Контакт"):
        attach(shared, "phone", sample)
        if shared.locator("#phone-file").is_visible():
            send(shared, "phone", "подпись")
    expect(crm(shared, ".contact")).to_be_visible()
    shared.get_by_role("button", name="Написать первым").click()
    for language in ("Рус", "Eng"):
        shared.get_by_role("button", name=language).click()
        assert shared.evaluate(_STICKING_OUT) == []


def test_both_languages_have_the_same_words(shared: Page) -> None:
    """Nothing is left untranslated, and no word is kept that the other language lacks."""
    lacking = shared.evaluate(
        """async () => {
            const { RU } = await import('/page/words_ru.js');
            const { EN } = await import('/page/words_en.js');
            return [...Object.keys(RU).filter((key) => !(key in EN)),
                ...Object.keys(EN).filter((key) => !(key in RU))]; }"""
    )
    assert lacking == []


_STICKING_OUT = """() => {
    const right = (node) => node.getBoundingClientRect().right;
    const out = [...document.querySelectorAll('.panel, .top, .bubble')].filter((box) =>
        [...box.querySelectorAll(':scope > :not(.chips), .panel-head > *, .thing > *')]
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
    expect(page.get_by_text("реле ждёт исправления")).to_be_visible()
    assert page.evaluate(_PLACES) == before


_PLACES = """() => [...document.querySelectorAll('.panel, .composer, .troubles, h2, #save, #ideas')]
    .map((node) => node.getBoundingClientRect().toJSON())"""


def test_contrast_is_enough(shared: Page) -> None:
    """Words stand out from what is behind them by 4.5 to 1, in light and in dark."""
    client_writes(shared, "Привет")
    for sample in ("Голосовое сообщение", "Контакт", "Место на карте", "Прайс-лист, PDF"):
        attach(shared, "phone", sample)
    send(shared, "phone")
    expect(crm(shared, ".paper")).to_be_visible()
    shared.locator("#phone-attach").click()
    for scheme in ("light", "dark"):
        shared.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        assert shared.evaluate(_FAINT) == []


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
