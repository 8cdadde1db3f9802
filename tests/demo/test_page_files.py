"""Files on the page, in a real browser: their order, their limits, and what becomes of them."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.demo.browser import (
    attach,
    bytes_behind,
    choose,
    client_writes,
    crm,
    manager_writes,
    phone,
    press,
    send,
    width_of,
)

pytestmark = pytest.mark.browser

EVIL = b"<html><script>document.title = 'gone'</script></html>"


def test_texts_and_files_keep_their_order(shared: Page) -> None:
    """Written quickly one after the other, they stand in that order on the other side."""
    before = shared.locator("#crm-chat .bubble").count()
    client_writes(shared, "раз")
    choose(shared, "phone", "два.txt", "два".encode() * 300_000)
    send(shared, "phone")
    client_writes(shared, "три")
    attach(shared, "phone", "Голосовое сообщение")
    client_writes(shared, "пять")
    bubbles = shared.locator("#crm-chat .bubble")
    expect(bubbles).to_have_count(before + 5)
    held = bubbles.evaluate_all(
        """(all) => all.slice(-5).map((each) =>
            each.querySelector('.said').textContent
            || each.querySelector('.paper-name, .player')?.className)"""
    )
    assert held == ["раз", "paper-name", "три", "player", "пять"]


def test_what_a_browser_could_run_is_saved_instead(shared: Page) -> None:
    """A page and an SVG that a stranger sent are documents to be saved, on both sides."""
    for name, mime in (("страница.html", "text/html"), ("рисунок.svg", "image/svg+xml")):
        choose(shared, "phone", name, EVIL, mime)
        send(shared, "phone", name)
        expect(crm(shared, ".said")).to_have_text(name)
        for side in (phone, crm):
            assert bytes_behind(shared, side(shared, ".paper")) == EVIL
            link = side(shared, ".paper").get_attribute("href") or ""
            answer = shared.request.get(link if "://" in link else shared.url.rstrip("/") + link)
            assert answer.headers["content-disposition"].startswith("attachment")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-type"] == "application/octet-stream"
    expect(shared).to_have_title(re.compile("Реле"))


def test_a_file_that_is_too_large_is_refused_clearly(shared: Page) -> None:
    """Before anything is sent, with its size and the limit; an empty one as well."""
    before = shared.locator("#phone-chat .bubble").count()
    choose(shared, "phone", "кино.mp4", bytes(17_000_000))
    expect(shared.get_by_role("alert")).to_have_text(
        "В демонстрации файл не больше 16 МБ, а этот 17 МБ"
    )
    expect(shared.locator("#phone-file")).to_be_hidden()
    choose(shared, "crm", "пусто.txt", b"")
    expect(shared.get_by_role("alert")).to_have_text("Файл пустой: отправлять нечего")
    client_writes(shared, "ладно")
    expect(shared.locator("#phone-chat .bubble")).to_have_count(before + 1)


def test_a_file_is_dropped_or_pasted(shared: Page) -> None:
    """Onto a chat, or into its field: it is taken there as if it had been chosen."""
    for side, event in (("phone", "drop"), ("crm", "paste")):
        shared.evaluate(_LET_FALL, [side, event])
        expect(shared.locator(f"#{side}-file")).to_contain_text("упало.txt · 3 Б")
        send(shared, side, event)
        expect(shared.locator(f"#{side}-file")).to_be_hidden()
    expect(phone(shared, ".paper-name")).to_have_text("упало.txt")
    assert bytes_behind(shared, phone(shared, ".paper")) == b"abc"


_LET_FALL = """([side, event]) => {
    const data = new DataTransfer();
    data.items.add(new File(['abc'], 'упало.txt'));
    const at = document.getElementById(event === 'drop' ? `${side}-chat` : `${side}-text`);
    const about = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    at.dispatchEvent(event === 'drop' ? new DragEvent(event, about)
        : new ClipboardEvent(event, about));
}"""


def test_a_file_over_the_relays_limit_is_a_line(shared: Page) -> None:
    """In the chat, with what to do; the journal says that there will be no file, and why."""
    shared.get_by_role("button", name="Файлы не больше 1 МБ").click()
    expect(shared.get_by_text("Принято без перезапуска")).to_be_visible()
    attach(shared, "phone", "Каталог, 3 МБ")
    send(shared, "phone", "Наш каталог")
    expect(crm(shared, ".said")).to_have_text(
        "Документ «Каталог.pdf» (3 МБ): больше допустимых 1 МБ. Откройте на телефоне.\nНаш каталог"
    )
    expect(crm(shared, ".paper")).to_have_count(0)
    tale = shared.locator(".tale").filter(has_text="Наш каталог").first
    expect(tale).to_contain_text("Файла не будет")
    expect(tale).to_contain_text("файл больше, чем позволяет media.limit")
    shared.get_by_role("button", name="Вернуть как было").click()
    expect(shared.get_by_text("16MB (was 1MB)")).to_be_visible()


def test_the_journal_tells_the_way_of_a_file(shared: Page) -> None:
    """Taken, fetched, kept, delivered: in plain words, under the file's own name."""
    attach(shared, "phone", "Прайс-лист, PDF")
    send(shared, "phone")
    expect(crm(shared, ".paper")).to_be_visible()
    tale = shared.locator(".tale").filter(has_text="Документ · Прайс-лист.pdf").first
    expect(tale.locator(".what")).to_have_text(
        ["Принято, лежит на диске", "Файл скачивается в реле", "Файл целиком в реле", "Доставлено"]
    )


def test_a_photo_is_answered_edited_and_taken_back(shared: Page) -> None:
    """A quotation names it, an edit changes its caption, and taken back it is gone on the phone."""
    attach(shared, "phone", "Фото кресла")
    send(shared, "phone", "красное")
    expect(crm(shared, ".said")).to_have_text("красное")
    mine = shared.locator("#phone-chat .bubble.mine").last
    press(mine, "Изменить")
    send(shared, "phone", "терракотовое")
    expect(crm(shared, ".said")).to_have_text("терракотовое")
    expect(crm(shared, ".photo img")).to_be_visible()
    press(shared.locator("#crm-chat .bubble").last, "Ответить")
    manager_writes(shared, "Беру")
    expect(phone(shared, ".quote")).to_have_text("Фото · терракотовое")
    press(shared.locator("#phone-chat .bubble.mine").last, "Удалить у всех")
    expect(shared.locator("#phone-chat .bubble.mine").last.locator(".photo")).to_have_count(0)
    expect(
        shared.locator("#crm-chat .said").filter(has_text="[Удалено] терракотовое")
    ).to_be_visible()


def test_the_companys_handset_sends_files_too(shared: Page) -> None:
    """What the owner sends on the phone is in amoCRM with its mark, in the bot's name."""
    shared.get_by_role("button", name="Компания").click()
    attach(shared, "phone", "Фото кресла")
    send(shared, "phone", "Смотрите")
    expect(crm(shared, ".said")).to_have_text("[Отправлено с телефона] Смотрите")
    assert width_of(crm(shared, ".photo img")) == 800


def test_typing_is_seen_while_it_lasts(shared: Page) -> None:
    """The client's phone says so while a manager writes, and no longer."""
    note = shared.locator("#peer-note")
    expect(note).to_have_text("+7 495 000-00-01")
    for _ in range(10):  # amoCRM tells it every few seconds; what still arrives from before ends it
        shared.locator("#crm-text").press_sequentially("Ещё ")
        with contextlib.suppress(AssertionError):
            expect(note).to_have_text("печатает…", timeout=5_000)
            break
    else:
        pytest.fail("the client never saw it")
    expect(note).to_have_text("+7 495 000-00-01")


_CUT_ONCE = """() => { const real = fetch; window.fetch = () => { window.fetch = real;
    return Promise.reject(new Error('cut')); }; }"""


def test_what_was_taken_is_not_lost_when_sending_fails(shared: Page) -> None:
    """A file chosen before stays chosen if it cannot be sent, and goes when it can."""
    attach(shared, "phone", "Прайс-лист, PDF")
    shared.evaluate(_CUT_ONCE)
    send(shared, "phone", "держите")
    expect(shared.locator("#phone-text")).to_have_value("держите")
    expect(shared.locator("#phone-file")).to_be_visible()
    shared.locator("#phone-form").get_by_role("button", name="Отправить").click()
    expect(crm(shared, ".said")).to_have_text("держите")
    expect(crm(shared, ".paper-name")).to_have_text("Прайс-лист.pdf")
    expect(shared.locator("#phone-file")).to_be_hidden()


def test_nothing_moves_when_a_picture_comes(shared: Page) -> None:
    """A bubble has its height before its picture has a single byte."""
    held: list[Route] = []
    shared.route("**/media/*.png", lambda route: held.append(route))  # noqa: PLW0108  it is marked
    attach(shared, "phone", "Фото кресла")
    with shared.expect_request("**/media/*.png"):
        send(shared, "phone", "подождите")
    expect(crm(shared, ".said")).to_have_text("подождите")
    bubble = shared.locator("#crm-chat .bubble").last
    bubble.evaluate("(bubble) => Promise.all(bubble.getAnimations().map((each) => each.finished))")
    before = bubble.bounding_box()
    held[0].continue_()
    assert width_of(crm(shared, ".photo img")) == 800
    assert bubble.bounding_box() == before
