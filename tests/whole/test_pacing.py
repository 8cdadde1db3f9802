"""Writing first and being careful, through everything that is real."""

from __future__ import annotations

from relay.demo.pretended_amocrm import OLGA
from tests.app import files
from tests.whole.test_texts import ANNA, CHAT, Town, town  # noqa: F401 - town is a fixture

# ruff: noqa: F811 - the fixture is meant

BORIS, VERA = "79991234568", "79991234569"


async def test_whatsapp_refuses_strangers(town: Town) -> None:
    """Error 463: the manager reads why, the next stranger is not tried, an answer goes."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    boris, vera = (
        town.whatsapp.contact(number, name) for number, name in ((BORIS, "B"), (VERA, "V"))
    )
    short = {"give_up_after": {"whatsapp": "30m"}}
    files.save(town.config, files.config(town.amocrm, delivery=short))
    device = town.whatsapp.session(town.phone)
    async with town.relay() as relay:
        await anna.send(town.phone, "Здравствуйте")
        await town.until_in_amocrm(1)
        device.refuse_next_send(463)
        refused = await town.amocrm.write_first(f"+{BORIS}", OLGA, "Добрый день, Борис")
        await relay.logged("strangers_refused", channel="sales", for_seconds=3600)
        held = await town.amocrm.write_first(f"+{VERA}", OLGA, "Добрый день, Вера")
        for message in (refused, held):
            await town.amocrm.wait_for(lambda _, m=message: bool(m.reports), 30)  # type: ignore[misc]  # bound in the loop
            [report] = message.reports
            assert (report.status, report.error_code) == (-1, 905)
            assert report.error is not None
            assert "WhatsApp временно не даёт каналу «Продажи» писать тем" in report.error
        await town.amocrm.write(CHAT, OLGA, "Добрый день, Анна")
        await anna.received("Добрый день, Анна")
    assert boris.messages.history == vera.messages.history == []


async def test_typing_is_seen_before_the_message(town: Town) -> None:
    """With ``pacing.typing`` WhatsApp is told that we write, and then gets what we wrote."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    typing = {"sales": files.SALES | {"pacing": {"typing": "1s"}}}
    files.save(town.config, files.config(town.amocrm, channels=typing))
    device = town.whatsapp.session(town.phone)
    async with town.relay():
        await anna.send(town.phone, "Здравствуйте")
        await town.until_in_amocrm(1)
        await town.amocrm.write(CHAT, OLGA, "Добрый день")
        shown = await device.said.take(lambda said: said.tag == "chatstate", what="typing")
        assert [child.tag for child in shown.children] == ["composing"]
        assert anna.messages.history == []
        await anna.received("Добрый день")
