"""amoCRM in trouble: whatever it does, nothing is lost, repeated or reordered; no lane dies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from relay.demo.pretended_amocrm import (
    OLGA,
    Answer,
    BeforeAnswer,
    Fault,
    Hang,
    Lie,
    Message,
    Reset,
    Slow,
    garbage,
    too_many,
)
from relay.demo.pretended_amocrm.faults import Effect
from tests.app.nursery import Nursery
from tests.app.site import Site, site
from tests.app.traffic import Traffic

_CONVERSATIONS = 6
_TIMES = 8  # a lane meets the trouble once or twice, and climbs the ladder as often
_HANGS = 4  # each costs the client's ten seconds

Trouble = Callable[[Site], Awaitable[None]]


def _times(effect: Effect, times: int = _TIMES) -> Trouble:
    async def trouble(here: Site) -> None:
        fault = here.amocrm.faults.add(effect, times=times)
        await here.amocrm.wait_for(lambda _: fault.hits == times, within_s=30)

    return trouble


async def _slow(here: Site) -> None:
    until = asyncio.Event()
    fault = here.amocrm.faults.add(Slow(until=until))
    await here.amocrm.wait_for(lambda _: fault.hits >= 3)
    here.amocrm.faults.remove(fault)
    until.set()


async def _down(here: Site) -> None:
    await here.amocrm.go_down()
    await here.relay.until_logged("deferred", 3, direction="in")
    await here.amocrm.come_up()


_TROUBLES: dict[str, Trouble] = {
    "down": _down,
    "slow": _slow,
    "reset": _times(Reset()),
    "500": _times(Answer(500, b"oops", "text/plain")),
    "502": _times(Answer(502, b"<html>Bad gateway</html>", "text/html")),
    "429": _times(too_many()),
    "429 with a time": _times(too_many(retry_after=1)),
    "403": _times(Answer(403)),
    "404": _times(Answer(404)),
    "garbage": _times(garbage()),
    "hangs": _times(Hang(), _HANGS),
    "lies and resets": _times(Lie(Reset())),
    "lies and fails": _times(Lie(Answer(500))),
    "lies and answers garbage": _times(Lie(garbage())),
    "lies and hangs": _times(Lie(Hang()), _HANGS),
}


async def test_whatever_amocrm_does(nursery: Nursery) -> None:
    """Traffic goes through each trouble, all at once, with a relay for each."""
    async with asyncio.TaskGroup() as all_at_once:
        for name, trouble in _TROUBLES.items():
            all_at_once.create_task(_endure(nursery, name, trouble), name=name)


async def _endure(nursery: Nursery, name: str, trouble: Trouble) -> None:
    try:
        async with site(nursery) as here:
            await _go_through(here, trouble, random.Random(name))
            assert here.amocrm.account.repeats or not name.startswith("lies")
    except BaseException as error:
        error.add_note(f"amoCRM: {name}")
        raise


async def _go_through(here: Site, trouble: Trouble, chance: random.Random) -> None:
    traffic = Traffic(here, _CONVERSATIONS, chance)
    await here.start_connected()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.run())
        await here.whatsapp.until(lambda: here.happened >= 30, "traffic")
        await trouble(here)
        traffic.end()
    traffic.check()
    assert here.relay.logged("dead") == []
    assert await here.relay.stop() == 0
    here.check_log()


async def test_a_hook_before_the_answer_to_our_post(here: Site) -> None:
    """A manager who answers before amoCRM has answered us reaches the client, once."""
    await here.start_connected()

    async def answer(message: Message) -> None:
        await here.amocrm.write(message.chat_id, OLGA, "quick answer")

    fault: Fault = here.amocrm.faults.add(BeforeAnswer(answer), where="messages")
    await here.whatsapp.write("79001234567", "A1", "Привет")
    await here.whatsapp.until_sent(1)
    await here.relay.until_logged("delivered", direction="in")
    assert fault.hits == 1
    assert here.whatsapp.texts_to("79001234567") == ["quick answer"]
    assert here.amocrm.violations == []
    here.check_log()


async def test_one_dead_letter_frees_its_lane(here: Site) -> None:
    """A message amoCRM will never take is given up at once; the next of its lane goes through."""
    await here.start_connected()
    here.amocrm.faults.add(Answer(400, b'{"title": "no"}'), where="messages", times=1)
    await here.whatsapp.write("79001234567", "A1", "refused")
    await here.whatsapp.write("79001234567", "A2", "taken")
    await here.until_in_amocrm(1)
    assert here.texts_of("79001234567") == ["taken"]
    assert len(here.relay.logged("dead", direction="in")) == 1
