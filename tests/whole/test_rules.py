"""The rules into amoCRM with WhatsApp's own library: what the phone types, and who is listed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from relay.demo.pretended_amocrm import OLGA
from relay.demo.pretended_amocrm.state import Message
from tests.app import files
from tests.whole.test_texts import ANNA, CHAT, Town, town  # noqa: F401 - town is a fixture


def outgoing(town: Town) -> list[Message]:  # noqa: F811
    """What the relay has put into amoCRM as outgoing."""
    return [m for m in town.amocrm.account.messages if m.direction == "out" and m.imported]


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_what_the_owner_types_enters_once_and_what_the_relay_sent_does_not(
    town: Town,  # noqa: F811
    addressing: Literal["lid", "pn"],
) -> None:
    """In the chat of the client, with WhatsApp's time; amoCRM's echo, if any, reaches nobody."""
    town.amocrm.quirks = replace(town.amocrm.quirks, echo_of_bot="before")
    settings = {"import_sent_from_phone": True, "title_in_messages": ["sales"]}
    files.save(town.config, files.config(town.amocrm, settings=settings))
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as relay:
        await anna.send(town.phone, "Здравствуйте")
        await town.until_in_amocrm(1)
        await town.amocrm.write(CHAT, OLGA, "Добрый день")
        assert (await anna.received()).text == "Добрый день"
        at_s = 1_770_000_123
        await town.phone.send(anna, "Уже едем 🚚", addressing=addressing, at_s=at_s)
        await town.amocrm.wait_for(lambda _: len(outgoing(town)) == 1, 30)
        await relay.logged("ignored", rule="posted_by_relay")
        await anna.send(town.phone, "Жду")
        await town.until_in_amocrm(2)
        await town.amocrm.write(CHAT, OLGA, "До встречи")
        assert [(await anna.received()).text for _ in range(2)] == ["Уже едем 🚚", "До встречи"]
        assert await relay.terminate() == 0
    [message] = outgoing(town)
    assert message.text == "[Продажи] [Отправлено с телефона] Уже едем 🚚"
    assert (message.timestamp_ms, message.silent) == (at_s * 1000, True)
    assert {m.chat_id for m in town.amocrm.account.messages} == {message.chat_id}
    assert town.texts() == ["[Продажи] Здравствуйте", "[Продажи] Жду"]
    assert relay.strange == []


@pytest.mark.parametrize("addressing", ["lid", "pn", "lid_alone"])
async def test_a_listed_client_stays_out_by_whichever_address_he_comes(
    town: Town,  # noqa: F811
    addressing: Literal["lid", "pn", "lid_alone"],
) -> None:
    """By number, by hidden id with it, and by hidden id alone once the number is known."""
    settings = {"blacklist": ["+7999123*"], "import_sent_from_phone": True}
    files.save(town.config, files.config(town.amocrm, settings=settings))
    anna = town.whatsapp.contact(ANNA, "Анна")
    boris = town.whatsapp.contact("79990001122", "Борис")
    async with town.relay() as relay:
        await anna.send(town.phone, "раз", addressing="pn")
        await relay.logged("ignored", rule="blacklist")
        await anna.send(town.phone, "два", addressing=addressing)
        await town.phone.send(anna, "три")
        await boris.send(town.phone, "четыре")
        await town.until_in_amocrm(1)
        message = await town.amocrm.write_first(f"+{ANNA}", OLGA, "Добрый день")
        heard = await anna.received("Добрый день")
        await anna.receipt(heard, "delivered")
        await town.amocrm.wait_for(lambda _: message.status == 1, 30)
        assert await relay.terminate() == 0
    assert town.texts() == ["четыре"]
    assert outgoing(town) == []


async def test_a_number_without_whatsapp_is_answered_in_the_chat(
    town: Town,  # noqa: F811
) -> None:
    """Once, in the bot's name, in the chat that the manager began; also after a kill."""
    pacing = {"per_minute": 1000, "per_hour": 1000, "per_day": 1000}
    sales = {"sales": {**files.SALES, "pacing": pacing}}
    files.save(town.config, files.config(town.amocrm, channels=sales))
    async with town.relay() as relay:
        message = await town.amocrm.write_first("8 (999) 000-00-00", OLGA, "Есть кто?")
        await town.amocrm.wait_for(lambda _: len(outgoing(town)) == 1, 30)
        await relay.kill()
    async with town.relay() as relay:
        await relay.logged("unclean_stop")
        again = await town.amocrm.write(message.chat_id, OLGA, "А сейчас?")
        await town.amocrm.wait_for(lambda _: bool(again.reports), 30)
        await town.amocrm.wait_for(lambda _: len(outgoing(town)) == 2, 30)
    errors = outgoing(town)
    assert [(e.author.kind, e.chat_id) for e in errors] == [("bot", message.chat_id)] * 2
    assert {e.text for e in errors} == {f"[GNZS ERROR] {again.reports[0].error}"}
