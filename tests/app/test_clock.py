"""The wall clock is set while the relay works: nothing dies of it, nothing waits for ever."""

from __future__ import annotations

import asyncio

from relay.domain.retry import DAY
from tests.app.nursery import Nursery
from tests.app.site import site
from tests.app.wire_engine import CLOCK_VARIABLE

ANNA = "79001234567"
_WITHIN_S = 20.0


async def test_a_wrong_clock_that_is_put_right(nursery: Nursery) -> None:
    """A clock three days off, either way, put right: what waited meanwhile arrives, both ways."""
    async with asyncio.TaskGroup() as both:
        both.create_task(_put_right(nursery, -3 * DAY), name="behind")
        both.create_task(_put_right(nursery, 3 * DAY), name="ahead")


async def _put_right(nursery: Nursery, off_ms: int) -> None:
    async with site(nursery) as here:
        await here.start_connected()
        await here.whatsapp.write(ANNA, "A1", "Привет")
        await here.until_in_amocrm(1)
        await here.relay.stop()
        here.outfit.environment[CLOCK_VARIABLE] = str(off_ms)
        await here.start()
        await here.relay.until_logged("credentials_refused")  # the signature's date is wrong
        await here.whatsapp.write(ANNA, "A2", "to amoCRM")
        await here.relay.until_logged("deferred", direction="in")
        here.whatsapp.go_offline()
        await here.relay.until_logged("session_state", state="reconnecting")
        await here.reply(ANNA, "to WhatsApp")
        await here.relay.until_logged("deferred", direction="out")
        here.whatsapp.session().say(clock_ms=0)
        await here.reply(ANNA, "after it")  # whatever wakes up now sees the new time
        jumped = await here.relay.until_logged("clock_jumped")
        assert jumped["by_seconds"] == -off_ms // 1000
        here.whatsapp.go_online()
        await here.until_in_amocrm(2, _WITHIN_S)
        await here.whatsapp.until_sent(2, _WITHIN_S)
        assert here.texts_of(ANNA) == ["Привет", "to amoCRM"]
        assert here.whatsapp.texts_to(ANNA) == ["to WhatsApp", "after it"]
        assert here.relay.logged("dead") == []
