"""Texts and their statuses through everything that is real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.demo.pretended_amocrm import OLGA, PretendedAmoCRM
from tests.app import files
from tests.whatsapp_server import Phone, WhatsAppServer
from tests.whole.daemon import Daemon, relay_run

OWN = "74950000001"
ANNA = "79991234567"
CHAT = f"wa-{OWN}-{ANNA}"


@dataclass
class Town:
    """WhatsApp, amoCRM, and one linked phone between them."""

    whatsapp: WhatsAppServer
    amocrm: PretendedAmoCRM
    phone: Phone
    config: Path

    @asynccontextmanager
    async def relay(self) -> AsyncIterator[Daemon]:
        """A relay at work: its channel and amoCRM are connected, and hooks find it."""
        async with relay_run(self.config, self.whatsapp.environment()) as daemon:
            await daemon.logged("session_state", state="connected")
            await daemon.logged("channel_connected")
            hooks = (await daemon.logged("listening"))["hooks"]
            self.amocrm.sender.url = f"http://{hooks}/amocrm/hook/:scope_id"
            yield daemon

    def texts(self) -> list[str]:
        """What amoCRM has of clients, in order."""
        return [m.text for m in self.amocrm.account.messages if m.direction == "in"]

    async def until_in_amocrm(self, count: int) -> None:
        """Back once amoCRM has that many messages of clients."""
        await self.amocrm.wait_for(lambda _: len(self.texts()) >= count, 30)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Everything but the relay."""
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        phone = whatsapp.phone(OWN, "Sales")
        sessions = tmp_path / "storage" / "sessions"
        sessions.mkdir(parents=True, mode=0o700)
        await whatsapp.pair_store(sessions / "sales.db", phone)
        files.save(tmp_path / "config.yaml", files.config(amocrm))
        yield Town(whatsapp, amocrm, phone, tmp_path / "config.yaml")
        assert amocrm.violations == []


async def test_a_text_goes_from_the_client_to_amocrm_and_the_answer_back(town: Town) -> None:
    """The exact words arrive on both sides, the client has his number and name, ticks follow."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as relay:
        await anna.send(town.phone, "Здравствуйте!\nСколько стоит? 👋")
        await town.until_in_amocrm(1)
        message = await town.amocrm.write(CHAT, OLGA, "Добрый день,\n1000 ₽")
        heard = await anna.received()
        assert heard.text == "Добрый день,\n1000 ₽"
        await anna.receipt(heard, "delivered")
        await town.amocrm.wait_for(lambda _: len(message.reports) == 1, 30)
        await anna.receipt(heard, "read")  # only now: of two that overtake the answer one is told
        await town.amocrm.wait_for(lambda _: len(message.reports) == 2, 30)
        assert await relay.terminate() == 0
    assert town.texts() == ["Здравствуйте!\nСколько стоит? 👋"]
    assert [report.status for report in message.reports] == [1, 2]
    [person] = [p for p in town.amocrm.account.people.values() if p.client_id == f"wa-{ANNA}"]
    assert (person.name, person.phone) == ("Анна", f"+{ANNA}")
    assert relay.strange == []


@pytest.mark.parametrize("addressing", ["lid", "pn"])
async def test_a_client_is_one_conversation_however_whatsapp_addresses_him(
    town: Town, addressing: str
) -> None:
    """By hidden id or by number: the chat is that of his telephone number."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        await anna.send(town.phone, "раз", addressing=addressing)  # type: ignore[arg-type]  # one of the two
        await town.until_in_amocrm(1)
    assert list(town.amocrm.account.chat_by_client_id) == [CHAT]


async def test_what_came_while_the_relay_was_down_arrives_when_it_is_back(town: Town) -> None:
    """WhatsApp keeps messages for a device that is away; in order they come, each once."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as relay:
        await anna.send(town.phone, "до")
        await town.until_in_amocrm(1)
        assert await relay.terminate() == 0
    for number in range(5):
        await anna.send(town.phone, f"во время {number}")
    async with town.relay():
        await anna.send(town.phone, "после")
        await town.until_in_amocrm(7)
    assert town.texts() == ["до", *(f"во время {number}" for number in range(5)), "после"]


async def test_a_number_that_is_not_on_whatsapp_is_told_as_904(town: Town) -> None:
    """Write first to nobody: the manager gets the status with its code and the next step."""
    async with town.relay():
        message = await town.amocrm.write_first("8 (999) 000-00-00", OLGA, "Есть кто?")
        await town.amocrm.wait_for(lambda _: len(message.reports) == 1, 30)
    [report] = message.reports
    assert (report.status, report.error_code) == (-1, 904)
    assert report.error is not None
    assert "не зарегистрирован в WhatsApp" in report.error


async def test_a_kill_between_two_messages_loses_neither(town: Town) -> None:
    """After kill -9 and a new start, messages in both directions arrive, each once."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as relay:
        await anna.send(town.phone, "раз")
        await town.until_in_amocrm(1)
        await relay.kill()
    await anna.send(town.phone, "два")
    async with town.relay() as relay:
        await relay.logged("unclean_stop")
        await town.until_in_amocrm(2)
        await town.amocrm.write(CHAT, OLGA, "ответ")
        assert (await anna.received("ответ")).text == "ответ"
    assert town.texts() == ["раз", "два"]
