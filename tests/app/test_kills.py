"""``kill -9`` under load, at any moment: nothing is lost, repeated, or out of order."""

from __future__ import annotations

import asyncio
import random

from tests.app.relay_process import RelayProcess
from tests.app.site import Site
from tests.app.traffic import Traffic, was_taken

_KILLS = 100
_CONVERSATIONS = 20
_MOST_EVENTS = 120  # between a start and its kill
_MOST_DELAY_S = 0.003  # so that a kill does not always fall on the end of an exchange
_TORN_EVERY = 10
_STOPS = 12


async def test_a_hundred_kills_under_load(here: Site) -> None:
    """The promise holds through a hundred kills, and each is owned up to at the next start."""
    chance = random.Random(20)
    here.hold_socket()
    traffic = Traffic(here, _CONVERSATIONS, chance)
    here.whatsapp.receipts = True
    await here.start_connected()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.run())
        for number in range(_KILLS):
            await _some_moment(here, here.relay, chance)
            await here.relay.kill()
            if number % _TORN_EVERY == 0:
                _tear(here, chance)
            await here.begin()
        await here.relay.until_ready()
        traffic.end()
    traffic.check()
    for life in here.lives:
        unclean = len(life.logged("unclean_stop"))
        assert unclean == (life is not here.lives[0]) or (not life.logged("ready") and not unclean)
    assert sum(map(was_taken, traffic.replies)) > _KILLS
    assert await here.relay.stop() == 0
    here.check_log()


async def _some_moment(here: Site, relay: RelayProcess, chance: random.Random) -> None:
    """Any moment of a life: while it starts, when it has just started, in the middle of work."""
    events = chance.choice([0, 0, 1, 5, _MOST_EVENTS // 2, _MOST_EVENTS, _MOST_EVENTS])
    if events:
        await relay.until_ready()
        until = here.happened + chance.randint(1, events)
        await here.whatsapp.until(lambda: here.happened >= until, "traffic")
    await asyncio.sleep(chance.random() * _MOST_DELAY_S)  # the very point of the test


def _tear(here: Site, chance: random.Random) -> None:
    """A write was under way: the log of the database ends in half a frame."""
    with (here.storage / "relay.db-wal").open("ab") as log:
        log.write(chance.randbytes(chance.randint(1, 5000)))


async def test_a_dozen_stops_under_load(here: Site) -> None:
    """SIGTERM in the middle of work interrupts no send: no outcome is ever unknown."""
    chance = random.Random(21)
    here.hold_socket()
    traffic = Traffic(here, _CONVERSATIONS, chance)
    await here.start_connected()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.run())
        for _ in range(_STOPS):
            until = here.happened + chance.randint(1, _MOST_EVENTS)
            await here.whatsapp.until(lambda until=until: here.happened >= until, "traffic")  # type: ignore[misc]  # bound in the loop
            assert await here.relay.stop() == 0
            await here.start()
        traffic.end()
    traffic.check()
    for life in here.lives:
        assert life.logged("dead") == []
        assert life.logged("drain_late") == []
        assert life.logged("unclean_stop") == []
    here.check_log()
