"""Who may send through which channel: a whole relay between amoCRM's users and WhatsApp."""

from __future__ import annotations

from typing import Any

import pytest

from relay.demo.pretended_amocrm import BORIS, OLGA, Answer, Message
from relay.domain.reasons import Reason
from relay.domain.session import SessionState
from relay.domain.settings import Language
from relay.domain.texts import reason_text
from tests.app import files
from tests.app.played_whatsapp import OWN
from tests.app.site import Site

ANNA = "79001234567"
AT_ONCE = {"pacing": {"per_minute": 1000, "per_hour": 1000, "per_day": 1000}}
BOTH = {"sales": files.SALES | AT_ONCE, "support": files.SUPPORT | AT_ONCE}
USERS = {
    17: {"name": "Ольга", "channels": ["sales"], "signature": "Ольга, отдел продаж\n"},
    18: {"name": "Борис", "channels": ["default"], "signature": "Борис"},
}


def save(here: Site, **sections: Any) -> None:
    """Two channels, two users, ``support`` for robots and for who is bound to ``default``."""
    told = {"channels": BOTH, "settings": {"default_channel": "support"}, "users": USERS}
    here.save(**(told | sections))


def sent(here: Site) -> list[tuple[str, str, str]]:
    return [(each.channel, each.to, each.text) for each in here.whatsapp.sent]


async def a_minute_passes(here: Site) -> None:
    """Users are read once a minute at most: then a robot never seen before is told at once."""
    await here.relay.until_logged("users_learned")
    here.whatsapp.session().say(clock_ms=70_000)
    await here.relay.until_logged("clock_jumped")


async def failure(here: Site, message: Message) -> tuple[int | None, str | None]:
    """What its writer is told, once he is."""
    await here.amocrm.wait_for(lambda _: bool(message.reports))
    [report] = message.reports
    assert report.status == -1
    return report.error_code, report.error


async def test_each_writes_as_the_file_says(here: Site) -> None:
    """His own channel, `default`, or not at all; signed for the client, never for amoCRM."""
    save(here)
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Здравствуйте")
    await here.until_in_amocrm(1)
    chat = here.chat_of(ANNA)
    await here.amocrm.write(chat, OLGA, "Добрый день")
    await here.whatsapp.until_sent(1)
    await a_minute_passes(here)
    await here.amocrm.write_as_robot(chat, "Оцените нас")
    await here.whatsapp.until_sent(2)
    await here.amocrm.write(chat, BORIS, "И от меня")
    await here.whatsapp.until_sent(3)
    assert sent(here) == [
        ("sales", ANNA, "Добрый день\n\nОльга, отдел продаж"),
        ("sales", ANNA, "Оцените нас"),
        ("support", ANNA, "И от меня\n\nБорис"),
    ]
    said = [m.text for m in here.amocrm.account.messages if m.direction == "out"]
    assert said == ["Добрый день", "Оцените нас", "И от меня"]
    # What he answers to the other number is a chat of its own, of the same client.
    await here.whatsapp.write(ANNA, "B1", "Кто вы?", channel="support")
    await here.until_in_amocrm(2)
    chats = {c.client_id: c for c in here.amocrm.account.chats.values()}
    assert chats.keys() == {here.chat_of(ANNA), here.chat_of(ANNA, OWN["support"])}
    assert len({c.person_id for c in chats.values()}) == 1
    await here.relay.stop()
    assert here.amocrm.violations == []
    here.check_log()


async def test_who_is_not_in_the_file_is_told_and_acts_as_soon_as_he_is(here: Site) -> None:
    """-1 / 905 with the reason, nothing on WhatsApp; the next message goes by the saved file."""
    save(here, users={17: USERS[17]})
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Здравствуйте")
    await here.until_in_amocrm(1)
    refused = await here.amocrm.write(here.chat_of(ANNA), BORIS, "Добрый день")
    reason = reason_text(Reason.MAY_NOT_SEND, Language.RU)
    assert await failure(here, refused) == (905, reason)
    assert sent(here) == []
    save(here)
    await here.relay.until_logged("config_reloaded")
    await here.amocrm.write(here.chat_of(ANNA), BORIS, "Добрый день")
    await here.whatsapp.until_sent(1)
    assert sent(here) == [("support", ANNA, "Добрый день\n\nБорис")]
    assert here.whatsapp.comings("sales") == 1


@pytest.mark.parametrize(
    ("user", "source", "channel"),
    [
        (OLGA, None, "sales"),
        (OLGA, "wa-74950000002", "sales"),
        (BORIS, "wa-74950000001", "support"),
        (None, "wa-74950000001", "sales"),
        (None, None, "support"),
        (None, "wa-79990000000", "support"),
    ],
)
async def test_write_first_goes_by_the_chosen_source_if_it_may(
    here: Site, user: Any, source: str | None, channel: str
) -> None:
    """And the client's answer comes into that very chat."""
    save(here)
    await here.start_connected()
    await here.amocrm.wait_for(lambda it: len(it.account.sources) == 2)
    if user is None:
        await a_minute_passes(here)
    await here.amocrm.write_first("8 (900) 123-45-67", user, "Это мы", source=source)
    await here.whatsapp.until_sent(1)
    assert [(channel_, to) for channel_, to, _ in sent(here)] == [(channel, ANNA)]
    await here.whatsapp.write(ANNA, "A1", "А это я", channel=channel)
    await here.until_in_amocrm(1)
    [chat] = here.amocrm.account.chats.values()
    assert chat.client_id == here.chat_of(ANNA, OWN[channel])
    assert here.amocrm.account.people[chat.person_id].client_id == f"wa-{ANNA}"
    assert here.amocrm.violations == []


async def test_two_channels_in_one_chat_that_amocrm_began(here: Site) -> None:
    """The chat stays that of its first message; answers to either number are never lost."""
    save(here)
    await here.start_connected()
    message = await here.amocrm.write_first("+79001234567", OLGA, "Это Ольга")
    await here.whatsapp.until_sent(1)
    await here.amocrm.write(message.chat_id, BORIS, "Это Борис")
    await here.whatsapp.until_sent(2)
    assert [channel for channel, _, _ in sent(here)] == ["sales", "support"]
    await here.whatsapp.write(ANNA, "B1", "Борису", channel="support")
    await here.until_in_amocrm(1)
    await here.whatsapp.write(ANNA, "A1", "Ольге")
    await here.until_in_amocrm(2)
    assert [m.text for m in here.amocrm.account.in_chat(message.chat_id)] == [
        "Это Ольга", "Это Борис", "Ольге",
    ]  # fmt: skip
    assert len(here.amocrm.account.chats) == 2
    assert here.amocrm.violations == []


async def test_several_chats_begun_with_one_client(here: Site) -> None:
    """All reach him through one conversation; his answers come into the one written in last."""
    save(here)
    await here.start_connected()
    first = await here.amocrm.write_first("+79001234567", OLGA, "Раз")
    second = await here.amocrm.write_first("8 900 123 45 67", OLGA, "Два")
    await here.whatsapp.until_sent(2)
    assert {each.to for each in here.whatsapp.sent} == {ANNA}
    assert first.chat_id != second.chat_id
    await here.whatsapp.write(ANNA, "A1", "Слушаю")
    await here.until_in_amocrm(1)
    assert [m.text for m in here.amocrm.account.in_chat(second.chat_id)] == ["Два", "Слушаю"]
    await here.amocrm.write(first.chat_id, OLGA, "Три")
    await here.whatsapp.until_sent(3)
    assert here.amocrm.violations == []


async def test_nobody_is_sent_while_it_is_not_known_who_wrote(here: Site) -> None:
    """amoCRM does not tell its users; a kill; then it does: each goes once, by his own entry."""
    save(here)
    here.hold_socket()
    fault = here.amocrm.faults.add(Answer(500, b"oops", "text/plain"), where="users")
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Здравствуйте")
    await here.until_in_amocrm(1)
    await here.amocrm.write(here.chat_of(ANNA), OLGA, "Раз")
    await here.amocrm.write(here.chat_of(ANNA), OLGA, "Два")
    await here.relay.until_logged("deferred", 2, direction="out")
    _, body = await here.admin("/healthz")
    assert b'"whatsapp": {"waiting": 2' in body
    await here.relay.kill()
    here.amocrm.faults.remove(fault)
    await here.start_connected()
    await here.whatsapp.until_sent(2)
    assert [text.partition("\n")[0] for _, _, text in sent(here)] == ["Раз", "Два"]
    assert all(text.endswith("Ольга, отдел продаж") for _, _, text in sent(here))


async def test_a_channel_that_was_logged_out_is_named_with_the_next_step(here: Site) -> None:
    """The message waits for its time, and then the manager knows what to do."""
    save(here, delivery={"give_up_after": {"whatsapp": "1s"}})
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Здравствуйте")
    await here.until_in_amocrm(1)
    await here.relay.until_logged("users_learned")
    here.whatsapp.session().stand(SessionState.LOGGED_OUT, "logged out on the phone")
    await here.relay.until_logged("session_state", state="logged_out")
    message = await here.amocrm.write(here.chat_of(ANNA), OLGA, "Добрый день")
    code, error = await failure(here, message)
    assert code == 905
    assert error == (
        "Канал «Продажи» отключён: отсканируйте QR. Потом отправьте сообщение ещё раз."
    )
    assert sent(here) == []


async def test_a_channel_that_left_the_file_leaves_its_chats_to_the_others(here: Site) -> None:
    """A manager writes through the first of his, a robot through the default one."""
    save(here)
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Здравствуйте")
    await here.until_in_amocrm(1)
    tree = files.config(here.amocrm, channels=BOTH, settings={"default_channel": "support"})
    tree["users"] = {17: USERS[17] | {"channels": ["support"]}}
    del tree["channels"]["sales"]
    files.save(here.outfit.config, tree)
    await here.relay.until_logged("config_reloaded")
    here.whatsapp.session("support").say(clock_ms=70_000)
    await here.relay.until_logged("clock_jumped")
    await here.amocrm.write(here.chat_of(ANNA), OLGA, "Добрый день")
    await here.amocrm.write_as_robot(here.chat_of(ANNA), "Оцените нас")
    await here.whatsapp.until_sent(2)
    assert sent(here) == [
        ("support", ANNA, "Добрый день\n\nОльга, отдел продаж"),
        ("support", ANNA, "Оцените нас"),
    ]
