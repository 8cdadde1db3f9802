"""The rules into amoCRM on a running relay: they follow the file, and the strict amoCRM agrees."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import pytest

from relay.demo.pretended_amocrm import OLGA
from relay.demo.pretended_amocrm.faults import BeforeAnswer
from relay.demo.pretended_amocrm.state import Message
from tests.app import files
from tests.app.played_whatsapp import SENT_AT_MS, Sent
from tests.app.site import Site

ANNA, BORIS = "79001234567", "79005550011"
MARK = "[Отправлено с телефона]"


def nobody(_: Sent) -> dict[str, object]:
    """The number is not on WhatsApp."""
    return {"result": "nobody"}


def outgoing(here: Site) -> list[Message]:
    """What the relay has put into amoCRM as outgoing."""
    return [m for m in here.amocrm.account.messages if m.direction == "out" and m.imported]


async def saved(here: Site, count: int, **sections: object) -> list[str]:
    """Save the file and wait until it is in force; the changes in words."""
    here.save(**sections)
    line = await here.relay.until_logged("config_reloaded", count)
    changes: list[str] = line["changes"]
    return changes


@pytest.mark.parametrize("when", ["never", "before", "after"])
async def test_what_is_typed_on_the_phone_enters_as_the_bots_and_never_goes_out(
    here: Site, when: Literal["never", "before", "after"]
) -> None:
    """Marked, silent, of WhatsApp's own time, without a lead; whether amoCRM then calls or not."""
    here.amocrm.quirks = replace(here.amocrm.quirks, echo_of_bot=when)
    here.save(settings={"import_sent_from_phone": True})
    await here.start_connected()
    await here.whatsapp.write(ANNA, "P1", "\nУже едем\n👋 שלום", from_phone=True)
    await here.amocrm.wait_for(lambda _: len(outgoing(here)) == 1)
    if when != "never":
        await here.relay.until_logged("ignored", rule="posted_by_relay")
    await here.whatsapp.write(ANNA, "A1", "Жду")
    await here.until_in_amocrm(1)
    await here.reply(ANNA, "Добрый день")
    await here.whatsapp.until_sent(1)
    [message] = outgoing(here)
    assert (message.text, message.author.kind) == (f"{MARK} Уже едем\n👋 שלום", "bot")
    assert (message.silent, message.timestamp_ms) == (True, SENT_AT_MS)
    assert message.source == "wa-74950000001"
    assert [sent.text for sent in here.whatsapp.sent] == ["Добрый день"]
    assert here.amocrm.violations == []
    here.check_log()


async def test_an_echo_that_met_a_killed_relay_is_still_one(here: Site) -> None:
    """Killed between amoCRM's acceptance and its answer; the hook waited at systemd's door."""
    here.hold_socket()
    here.save(settings={"import_sent_from_phone": True})
    await here.start_connected()

    async def kill(message: Message) -> None:
        await here.relay.kill()
        posted.append(message)

    posted: list[Message] = []
    here.amocrm.faults.add(BeforeAnswer(kill), "messages", times=1)
    await here.whatsapp.write(ANNA, "P1", "Уже едем", from_phone=True)
    await here.amocrm.wait_for(lambda _: bool(posted))
    await here.start_connected()
    await here.amocrm.wait_for(lambda it: bool(it.account.repeats))
    await here.amocrm.echo(posted[0])
    await here.relay.until_logged("ignored", rule="posted_by_relay")
    assert len(outgoing(here)) == 1
    assert here.whatsapp.sent == []


async def test_every_rule_follows_the_file_for_the_next_message(here: Site) -> None:
    """Title, import, blacklist: saved, they act, told in words, and no session notices."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "раз")
    await here.until_in_amocrm(1)
    settings: dict[str, object] = {"title_in_messages": ["sales"], "import_sent_from_phone": True}
    await saved(here, 1, settings=settings)
    await here.whatsapp.write(ANNA, "A2", "два")
    await here.whatsapp.write(ANNA, "P1", "три", from_phone=True)
    await here.amocrm.wait_for(lambda _: len(outgoing(here)) == 1)
    settings["blacklist"] = [f"+{ANNA}", "+7900555*"]
    changes = await saved(here, 2, settings=settings)
    assert changes == ["blacklist: +1 number, +1 pattern"]
    for client in (ANNA, BORIS):
        await here.whatsapp.write(client, f"A-{client}", "не войдёт")
        await here.whatsapp.write(client, f"P-{client}", "и это", from_phone=True)
    await here.relay.until_logged("ignored", 4, rule="blacklist")
    settings["blacklist"] = ["+7900555*"]
    await saved(here, 3, settings=settings, language="en")
    await here.whatsapp.write(ANNA, "P2", "четыре", from_phone=True)
    await here.amocrm.wait_for(lambda _: len(outgoing(here)) == 2)
    assert here.texts_of(ANNA) == ["раз", "[Продажи] два"]
    assert [message.text for message in outgoing(here)] == [
        f"[Продажи] {MARK} три",
        "[Продажи] [Sent from the phone] четыре",
    ]
    assert here.chat_of(BORIS) not in here.amocrm.account.chat_by_client_id
    assert here.whatsapp.comings("sales") == 1
    assert here.amocrm.violations == []


async def test_a_manager_reaches_a_listed_number(here: Site) -> None:
    """The list closes the way in alone: his message is sent, and its status told."""
    here.save(settings={"blacklist": [f"+{ANNA}"]})
    here.whatsapp.receipts = True
    await here.start_connected()
    message = await here.amocrm.write_first(f"+{ANNA}", OLGA, "Здравствуйте")
    await here.whatsapp.until_sent(1)
    await here.amocrm.wait_for(lambda _: message.status in (1, 2))
    await here.whatsapp.write(ANNA, "A1", "Кто это?")
    await here.relay.until_logged("ignored", rule="blacklist")
    assert [m.direction for m in here.amocrm.account.messages] == ["out"]


@pytest.mark.parametrize("bot", [True, False])
async def test_a_number_without_whatsapp_is_answered_in_the_chat(here: Site, bot: bool) -> None:
    """Status and a word in the chat that the manager began; by the bot, or in the client's name."""
    pacing = {"per_minute": 1000, "per_hour": 1000, "per_day": 1000}
    tree = files.config(here.amocrm, channels={"sales": {**files.SALES, "pacing": pacing}})
    if not bot:
        del tree["amocrm"]["chats"]["bot_id"]
    files.save(here.outfit.config, tree)
    here.amocrm.quirks = replace(here.amocrm.quirks, echo_of_bot="before")
    here.whatsapp.answer = nobody
    await here.start_connected()
    message = await here.amocrm.write_first("8 (900) 123-45-67", OLGA, "Есть кто?")
    await here.amocrm.wait_for(lambda it: len(it.account.messages) == 2 and bool(message.reports))
    [report] = message.reports
    error = here.amocrm.account.messages[-1]
    assert (report.status, report.error_code) == (-1, 904)
    assert error.text == f"[GNZS ERROR] {report.error}"
    assert error.chat_id == message.chat_id
    assert (error.author.kind, error.silent) == ("bot" if bot else "client", True)
    tree["settings"] = {"error_replies": False}
    files.save(here.outfit.config, tree)
    await here.relay.until_logged("config_reloaded")
    again = await here.amocrm.write(message.chat_id, OLGA, "А теперь?")
    await here.amocrm.wait_for(lambda _: bool(again.reports))
    assert len(here.amocrm.account.messages) == 3
    assert here.amocrm.account.leads == []
    assert here.amocrm.violations == []
    assert [sent.text for sent in here.whatsapp.sent] == ["Есть кто?", "А теперь?"]


async def test_a_number_in_the_list_is_masked_everywhere(here: Site) -> None:
    """Neither a reload nor an ignored message brings a number or a text into the log."""
    await here.start_connected()
    await saved(here, 1, settings={"blacklist": [f"+{ANNA}"]})
    await here.whatsapp.write(ANNA, "A1", "тайна")
    await here.relay.until_logged("ignored", rule="blacklist")
    everything = json.dumps(here.relay.log, ensure_ascii=False)
    assert ANNA not in everything
    assert "тайна" not in everything
