"""Laws of waiting: woken by changes, and by nothing else."""

from __future__ import annotations

import asyncio

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.demo.pretended_amocrm.waiting import Changes
from tests.demo.pretended_amocrm.peers import Client


async def test_what_holds_already_is_not_waited_for() -> None:
    """A predicate that holds returns at once."""
    await Changes().wait_for(lambda: True, within_s=0.01)


async def test_a_change_wakes_who_waits(server: PretendedAmoCRM, client: Client) -> None:
    """Waiting ends with the change that makes the predicate true."""
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(server.wait_for(lambda s: len(s.account.messages) == 2))
        await client.message("m-1")
        assert not waiting.done()
        await client.message("m-2")


async def test_a_predicate_is_asked_only_after_changes() -> None:
    """Between changes nobody asks."""
    changes, asked = Changes(), []

    def predicate() -> bool:
        asked.append(1)
        return len(asked) == 3

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(changes.wait_for(predicate, within_s=5))
        await asyncio.sleep(0)
        assert len(asked) == 1
        changes.changed()
        changes.changed()
    assert len(asked) == 3


async def test_waiting_has_an_end() -> None:
    """What does not come true in time is a TimeoutError, and is forgotten."""
    changes = Changes()
    with pytest.raises(TimeoutError):
        await changes.wait_for(lambda: False, within_s=0.01)
    assert changes.waiting == 0


async def test_a_predicate_that_raises_fails_its_own_waiter() -> None:
    """An error in a predicate reaches who waits, and nobody else."""
    changes = Changes()
    truth: list[int] = []

    async def waiting() -> None:
        with pytest.raises(ZeroDivisionError):
            await changes.wait_for(lambda: bool(truth) and 1 / 0 > 0, within_s=5)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(waiting())
        await asyncio.sleep(0)
        truth.append(1)
        changes.changed()


async def test_a_listener_hears_until_it_is_dismissed(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A listener is called after changes, and no more once it is dismissed."""
    heard: list[int] = []
    dismiss = server.on_change(lambda: heard.append(1))
    await client.message("m-1")
    before = len(heard)
    dismiss()
    await client.message("m-2")
    assert before > 0
    assert len(heard) == before
