"""One client, one conversation, and who is on WhatsApp, through everything that is real."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from relay.demo.pretended_amocrm import OLGA
from tests.whatsapp_server.linked import LinkedDevice
from tests.whatsapp_server.node import Node
from tests.whole.test_texts import ANNA, CHAT, OWN, Town, town  # noqa: F401 - town is a fixture


async def relay_phone(town: Town, *arguments: str) -> tuple[int, dict[str, Any], str]:  # noqa: F811
    """``relay phone``: its exit status, its answer, and its trouble."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relay", "phone", "--json", "-c", str(town.config), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, trouble = await process.communicate()
    return process.returncode or 0, json.loads(out) if out else {}, trouble.decode()


async def test_an_answer_by_hidden_address_alone_comes_into_the_chat_we_began(
    town: Town,  # noqa: F811
) -> None:
    """Write first by number, an answer that names no number: one chat, one contact, his phone."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        begun = await town.amocrm.write_first("+7 999 123-45-67", OLGA, "Добрый день")
        assert (await anna.received()).text == "Добрый день"
        await anna.send(town.phone, "слушаю", addressing="lid_alone")
        await town.until_in_amocrm(1)
        await anna.send(town.phone, "алло", addressing="pn_alone")
        await town.until_in_amocrm(2)
    assert {m.chat_id for m in town.amocrm.account.messages} == {begun.chat_id}
    people = [p for p in town.amocrm.account.people.values() if p.client_id == f"wa-{ANNA}"]
    assert [person.phone for person in people] == [f"+{ANNA}"]


async def test_a_client_changing_his_address_within_the_chat_stays_in_it(
    town: Town,  # noqa: F811
) -> None:
    """By number, by hidden address with and without the number, across a restart: one chat."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as before:
        await anna.send(town.phone, "1", addressing="pn_alone")
        await anna.send(town.phone, "2", addressing="lid")
        await anna.send(town.phone, "3", addressing="lid_alone")
        await town.until_in_amocrm(3)
    async with town.relay() as after:
        await anna.send(town.phone, "4", addressing="lid_alone")
        await town.until_in_amocrm(4)
        await anna.send(town.phone, "5", addressing="pn")
        await town.until_in_amocrm(5)
    assert town.texts() == ["1", "2", "3", "4", "5"], [*before.log, *after.log]
    assert list(town.amocrm.account.chat_by_client_id) == [CHAT]


async def test_messages_repeated_in_reverse_enter_in_the_order_they_came(
    town: Town,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two in a row cannot be decrypted, and his phone repeats the second one first."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    asked = list[tuple[LinkedDevice, Node]]()
    both = asyncio.Event()

    async def later(device: LinkedDevice, request: Node) -> None:
        asked.append((device, request))
        if len(asked) == 2:
            both.set()

    async with town.relay():
        await anna.send(town.phone, "раз")
        await town.until_in_amocrm(1)
        monkeypatch.setattr(anna, "resend", later)
        for text in ("два", "три"):
            anna.garble_next()
            await anna.send(town.phone, text)
        await anna.send(town.phone, "четыре")
        async with asyncio.timeout(30):
            await both.wait()
        monkeypatch.undo()
        for device, request in reversed(asked):
            await anna.resend(device, request)
        await town.until_in_amocrm(4)
    assert town.texts() == ["раз", "два", "три", "четыре"]


async def test_a_number_learnt_late_does_not_end_the_conversation(town: Town) -> None:  # noqa: F811
    """Hidden at first, then with the number: the first chat goes on, and answers reach him."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        await anna.send(town.phone, "1", addressing="lid_alone")
        await town.until_in_amocrm(1)
        await anna.send(town.phone, "2", addressing="lid")
        await anna.send(town.phone, "3", addressing="pn_alone")
        await town.until_in_amocrm(3)
        [chat] = town.amocrm.account.chat_by_client_id
        assert chat == f"wa-{OWN}-lid:{anna.lid.user}"
        await town.amocrm.write(chat, OLGA, "ответ")
        assert (await anna.received()).text == "ответ"
    [person] = [
        p for p in town.amocrm.account.people.values() if (p.client_id or "").startswith("wa-")
    ]
    assert person.phone == f"+{ANNA}"


async def test_relay_phone_tells_who_is_there(town: Town) -> None:  # noqa: F811
    """Found out once, then known; a client who wrote is known for free; nonsense is refused."""
    town.whatsapp.contact(ANNA, "Анна")
    boris = town.whatsapp.contact("79997654321", "Борис")
    async with town.relay():
        status, answer, trouble = await relay_phone(town, "8 (999) 123-45-67")
        assert (status, trouble) == (0, "")
        assert (answer["phone"], answer["state"]) == (f"+{ANNA}", "registered")
        _, absent, _ = await relay_phone(town, "+7 999 000-00-00", "--channel", "sales")
        assert absent["state"] == "not_registered"
        await boris.send(town.phone, "привет")
        await town.until_in_amocrm(1)
        town.whatsapp.go_down()
        _, known, _ = await relay_phone(town, "+79997654321")
        assert known["state"] == "registered"
        status, answer, trouble = await relay_phone(town, "+79990000001", "--check")
        assert (status, answer["state"], answer["checked"]) == (1, "unknown", None)
        assert trouble
        status, answer, trouble = await relay_phone(town, "hello")
        assert (status, answer) == (1, {})
        assert "not a telephone number" in trouble


async def test_without_a_relay_relay_phone_says_so(town: Town) -> None:  # noqa: F811
    """Exit 1 and what to do."""
    status, answer, trouble = await relay_phone(town, f"+{ANNA}")
    assert (status, answer) == (1, {})
    assert "is the service running?" in trouble


async def test_no_full_number_is_logged(town: Town, tmp_path: Path) -> None:  # noqa: F811
    """Checks, look-ups, messages and refusals: no line of the log holds a client's number."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as relay:
        await relay_phone(town, f"+{ANNA}")
        await relay_phone(town, "+79990000001")
        await anna.send(town.phone, "раз", addressing="lid_alone")
        await town.until_in_amocrm(1)
        message = await town.amocrm.write_first("+79990000001", OLGA, "Есть кто?")
        await town.amocrm.wait_for(lambda _: len(message.reports) == 1, 30)
        [report] = message.reports
        assert (report.status, report.error_code) == (-1, 904)
        assert await relay.terminate() == 0
    lines = [json.dumps(line, ensure_ascii=False) for line in relay.log]
    shown = [line for line in lines if ANNA[1:] in line or "9990000001" in line]
    assert (shown, relay.strange) == ([], [])
