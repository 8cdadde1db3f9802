"""Files on the page, in a real browser: seen, heard and saved on both sides, through the relay."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from relay.demo.pretended_whatsapp import Attachment
from relay.demo.samples import portrait, sample
from relay.media.audio import ffmpeg
from tests.demo.browser import (
    attach,
    bytes_behind,
    choose,
    client_writes,
    crm,
    once,
    phone,
    send,
    width_of,
)

pytestmark = pytest.mark.browser


def bytes_of(name: str) -> bytes:
    thing = sample(name)
    assert isinstance(thing, Attachment)
    return thing.data


def is_heard(player: Locator) -> bool:
    """Whether it plays, to its end, when its button is pressed."""
    audio = player.locator("audio")
    audio.evaluate(_WATCH)
    player.get_by_role("button", name="Слушать").click()
    expect(player.get_by_role("button", name="Остановить")).to_be_visible()
    once(audio, "(audio) => audio.over")
    return bool(audio.evaluate("(audio) => audio.reached > 3 && audio.duration > 3"))


_WATCH = """(sound) => {
    sound.reached = 0;
    sound.over = false;
    sound.addEventListener('timeupdate', () => {
        sound.reached = Math.max(sound.reached, sound.currentTime);
    });
    sound.addEventListener('ended', () => (sound.over = true));
}"""


def test_a_clients_photo_is_seen_in_amocrm_with_its_caption(shared: Page) -> None:
    """The manager's browser has it from the relay's own link, all of it, with its words."""
    attach(shared, "phone", "Фото кресла")
    send(shared, "phone", "Такое ещё есть?")
    expect(crm(shared, ".said")).to_have_text("Такое ещё есть?")
    picture = crm(shared, ".photo img")
    assert width_of(picture) == 800
    assert width_of(phone(shared, ".photo img")) == 800
    link = picture.get_attribute("src") or ""
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/media/[a-z2-7]{32}\.png", link)
    assert link not in shared.url
    assert shared.request.get(link).body() == bytes_of("question")


def test_a_client_has_a_face_in_amocrm(shared: Page) -> None:
    """What she shows of herself came with her first message, behind the relay's own link."""
    client_writes(shared, "Здравствуйте!")
    face = shared.locator("#card .avatar img")
    assert width_of(face) == 96
    link = face.get_attribute("src") or ""
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/media/[a-z2-7]{32}\.png", link)
    assert shared.request.get(link).body() == portrait("anna")


def test_who_shows_no_picture_has_an_initial(page: Page) -> None:
    """On the owner's phone and in amoCRM alike."""
    page.get_by_role("button", name="Борис").click()
    client_writes(page, "Добрый день")
    expect(page.locator("#card .avatar")).to_have_text("Б")
    page.locator("#view-owner").click()
    expect(page.locator("#peer-avatar")).to_have_text("Б")
    page.get_by_role("button", name="Анна", exact=True).first.click()
    assert width_of(page.locator("#peer-avatar img")) == 96


def test_a_managers_photo_is_seen_on_the_phone(shared: Page) -> None:
    """With its caption and the signature, byte for byte what was attached in amoCRM."""
    attach(shared, "crm", "Фото другого кресла")
    send(shared, "crm", "Есть зелёное")
    expect(phone(shared, ".said")).to_have_text("Есть зелёное\n\nОльга, отдел продаж")
    picture = phone(shared, ".photo img")
    assert width_of(picture) == 800
    source = shared.request.get(f"{shared.url.rstrip('/')}{picture.get_attribute('src')}")
    assert source.body() == bytes_of("answer")
    expect(crm(shared, ".stamp")).to_contain_text("прочитано")


def test_a_clients_voice_message_is_heard_in_amocrm(shared: Page) -> None:
    """A button plays it to its end; its length is shown before, and on the phone its picture."""
    attach(shared, "phone", "Голосовое сообщение")
    expect(phone(shared, ".bar")).to_have_count(32)
    player = crm(shared, ".player")
    expect(player.locator(".time")).to_have_text("0:04")
    assert is_heard(player)


def test_a_managers_voice_message_is_heard_on_the_phone(shared: Page) -> None:
    """It arrives as a voice message that a browser plays to its end."""
    attach(shared, "crm", "Голосовое сообщение")
    player = phone(shared, ".player")
    expect(player.locator(".time")).to_have_text("0:04")
    assert is_heard(player)


@pytest.mark.skipif(ffmpeg() is None, reason="ffmpeg makes voice messages of recordings")
@pytest.mark.parametrize(("here", "there"), [("phone", crm), ("crm", phone)])
def test_a_voice_is_recorded(
    shared: Page, here: str, there: Callable[[Page, str], Locator]
) -> None:
    """With the microphone, on either side: it is heard on the other, and words wait meanwhile."""
    shared.locator(f"#{here}-text").fill("потом")
    attach(shared, here, "Записать голосом…")
    expect(shared.locator(f"#{here}-file")).to_contain_text(re.compile("Запись 0:0[1-9]"))
    shared.locator(f"#{here}-form").get_by_role("button", name="Отправить").click()
    player = there(shared, ".player")
    audio = player.locator("audio")
    audio.evaluate(_WATCH)
    player.get_by_role("button", name="Слушать").click()
    once(audio, "(audio) => audio.over && audio.reached > 0.5")
    source = audio.get_attribute("src") or ""
    link = source if "://" in source else shared.url.rstrip("/") + source
    assert shared.request.get(link).body().startswith(b"OggS")
    expect(shared.locator(f"#{here}-text")).to_have_value("потом")


def test_a_recording_is_moved_through_by_keyboard(shared: Page) -> None:
    """The place in it is a slider with a name; a key moves there."""
    attach(shared, "phone", "Голосовое сообщение")
    track = crm(shared, ".player").get_by_role("slider", name="Место в записи")
    expect(track).to_have_attribute("max", re.compile(r"^3\.5"))
    track.focus()
    shared.keyboard.press("PageUp")
    once(crm(shared, "audio"), "(audio) => audio.currentTime > 0.2")


def test_a_clients_document_is_saved_from_amocrm(shared: Page) -> None:
    """It stands there with its name and size, and a click saves its very bytes."""
    data = b"%PDF-1.7 " + bytes(range(256)) * 800
    choose(shared, "phone", "Смета №7.pdf", data)
    expect(shared.locator("#phone-file")).to_contain_text("Смета №7.pdf · 205 КБ")
    send(shared, "phone", "Посчитайте")
    paper = crm(shared, ".paper")
    expect(paper).to_have_accessible_name("Скачать: Смета №7.pdf")
    expect(paper.locator(".paper-size")).to_have_text("205 КБ")
    assert bytes_behind(shared, paper) == data
    assert bytes_behind(shared, phone(shared, ".paper")) == data


def test_a_managers_document_is_saved_on_the_phone(shared: Page) -> None:
    """What was attached in amoCRM is what the client saves, whatever its bytes are."""
    data = bytes(range(255, -1, -1)) * 4000
    choose(shared, "crm", "Чертёж.bin", data)
    send(shared, "crm")
    paper = phone(shared, ".paper")
    expect(paper.locator(".paper-name")).to_have_text("Чертёж.bin")
    assert bytes_behind(shared, paper) == data
    assert bytes_behind(shared, crm(shared, ".paper")) == data


def test_a_film_is_seen_on_both_sides(shared: Page) -> None:
    """A video plays where it was sent from and where it arrived."""
    attach(shared, "phone", "Видео")
    send(shared, "phone", "Вот так")
    expect(crm(shared, ".said")).to_have_text("Вот так")
    for film in (phone(shared, "video"), crm(shared, "video")):
        expect(film).to_have_accessible_name("Видео")
        film.evaluate(_WATCH)
        film.evaluate("(film) => { film.muted = true; film.play(); }")
        once(film, "(film) => film.over && film.reached > 2 && film.videoWidth === 480")


def test_a_place_a_card_and_a_sticker_are_shown(shared: Page) -> None:
    """Each readably, on the phone and in amoCRM."""
    attach(shared, "phone", "Место на карте")
    expect(phone(shared, ".place")).to_contain_text("Москва, Театральная площадь, 1")
    expect(crm(shared, ".place")).to_contain_text("55.76010, 37.61860")
    expect(crm(shared, ".said")).to_have_text("Москва, Театральная площадь, 1")
    attach(shared, "phone", "Контакт")
    for side in (phone, crm):
        expect(side(shared, ".contact")).to_contain_text("Пётр, сборка мебели")
        expect(side(shared, ".contact")).to_contain_text("+7 900 000-00-07")
    attach(shared, "phone", "Стикер")
    assert width_of(crm(shared, ".sticker img")) == 256
