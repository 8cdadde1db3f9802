"""Writing first, through the whole relay: limits of the file, live, and where they are seen."""

from __future__ import annotations

import asyncio
import json

from click.testing import CliRunner

from relay.cli import main as cli
from relay.demo.pretended_amocrm import OLGA
from tests.app import files
from tests.app.played_whatsapp import delivered
from tests.app.site import Site

ANNA, BORIS, VERA = "79001234567", "79001234568", "79001234569"


def paced(**pacing: int) -> dict[str, object]:
    return {"sales": {**files.SALES, "pacing": pacing}}


async def pacing_in_health(here: Site) -> str | None:
    _, body = await here.admin("/healthz")
    told: str | None = json.loads(body)["channels"]["sales"].get("pacing")
    return told


async def test_a_pace_acts_and_a_changed_one_at_once(here: Site) -> None:
    """The second stranger waits, and says so; a faster pace lets him go without a new session."""
    here.save(channels=paced(per_minute=1))
    await here.start_connected()
    await here.amocrm.write_first(f"+{ANNA}", OLGA, "Добрый день, Анна")
    await here.whatsapp.until_sent(1)
    assert await pacing_in_health(here) is None
    await here.amocrm.write_first(f"+{BORIS}", OLGA, "Добрый день, Борис")
    line = await here.relay.until_logged("deferred", direction="out")
    assert 60_000 <= line["next_try_ms"] <= 90_000
    assert "turn" in line["error"]
    told = await pacing_in_health(here)
    assert told is not None
    assert told.startswith("1 to people who never wrote waiting for their turn, the last at 20")
    here.save(channels=paced(per_minute=1000))
    sent = await here.whatsapp.until_sent(2)
    assert [message.to for message in sent] == [ANNA, BORIS]
    reloaded = await here.relay.until_logged("config_reloaded")
    assert reloaded["changes"] == [
        "channel sales: limit a minute to people who never wrote is now 1000 (was 1)"
    ]
    assert here.whatsapp.comings("sales") == 1
    assert len(here.relay.logged("deferred", direction="out")) == 1


async def test_refused_strangers_are_seen_everywhere(here: Site) -> None:
    """A log line, the manager's message, health and status say it; who has written is answered."""
    here.save(language="en", delivery={"give_up_after": {"whatsapp": "30m"}})
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    here.whatsapp.answer = lambda sent: (
        delivered(sent) if sent.to == ANNA else {"result": "closed", "reason": "463"}
    )
    message = await here.amocrm.write_first(f"+{BORIS}", OLGA, "Добрый день, Борис")
    await here.relay.until_logged("strangers_refused", channel="sales")
    await here.amocrm.wait_for(lambda _: bool(message.reports), 20.0)
    assert "does not let channel “Продажи” write to people who have not" in str(message.reports)
    held = await here.amocrm.write_first(f"+{VERA}", OLGA, "Добрый день, Вера")
    await here.amocrm.wait_for(lambda _: bool(held.reports), 20.0)
    assert [sent.to for sent in here.whatsapp.sent] == [BORIS], "nobody knocks again"
    told = await pacing_in_health(here)
    assert told is not None
    assert told.startswith("WhatsApp takes no messages to people who never wrote; tried again at")
    status = ["status", "-c", str(here.outfit.config)]
    text = await asyncio.to_thread(CliRunner().invoke, cli.main, status)
    assert told in text.stdout
    await here.reply(ANNA, "Здравствуйте, Анна")
    await here.whatsapp.until_sent(2)
    assert here.whatsapp.texts_to(ANNA) == ["Здравствуйте, Анна"]
