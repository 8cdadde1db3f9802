"""The gate: changes alone, calls never beside a change."""

from __future__ import annotations

import asyncio
import random

import pytest

from relay.whatsapp.linked_device.gate import Gate


async def test_changes_and_young_calls_never_meet() -> None:
    """Whatever comes when, a change is alone but for calls that are long past their look-up."""
    gate = Gate(settled_s=60)
    inside: list[str] = []
    met: list[list[str]] = []
    chance = random.Random(7)

    async def change() -> None:
        async with gate.change():
            inside.append("change")
            await _pause(chance)
            met.append(list(inside))
            inside.remove("change")

    async def call() -> None:
        async with gate.call() as enter:
            enter()
            inside.append("call")
            await _pause(chance)
            inside.remove("call")

    await asyncio.gather(*(chance.choice([change, call])() for _ in range(300)))
    assert met
    assert all(seen == ["change"] for seen in met)


async def test_a_call_that_waits_for_the_network_holds_nobody_up() -> None:
    """A send can last over a minute; a start or stop goes on once the look-up is surely over."""
    gate = Gate(settled_s=0.05)
    release, entered = asyncio.Event(), asyncio.Event()

    async def call() -> None:
        async with gate.call() as enter:
            enter()
            entered.set()
            await release.wait()

    task = asyncio.create_task(call())
    await entered.wait()
    async with asyncio.timeout(60), gate.change():
        assert not task.done()
    release.set()
    await task


async def test_a_call_that_has_not_begun_is_waited_for() -> None:
    """A thread that has not come to its call yet is young, however long ago it was asked for."""
    gate = Gate(settled_s=0.0)
    begin, changed = asyncio.Event(), asyncio.Event()

    async def call() -> None:
        async with gate.call() as enter:
            await begin.wait()
            assert not changed.is_set()
            enter()

    async def change() -> None:
        async with gate.change():
            changed.set()

    tasks = [asyncio.create_task(call())]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(change()))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not changed.is_set()
    begin.set()
    await asyncio.gather(*tasks)


async def test_a_call_given_up_still_counts() -> None:
    """Cancelling the wait does not stop the thread: the gate stays shut until it is surely in."""
    gate = Gate(settled_s=0.1)
    entered = asyncio.Event()

    async def call() -> None:
        async with gate.call():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    began = asyncio.get_running_loop().time()
    async with gate.change():
        assert asyncio.get_running_loop().time() - began >= 0.09


async def test_a_failed_call_leaves_the_gate() -> None:
    """An exception inside is no obstacle to anybody."""
    gate = Gate(settled_s=60)
    with pytest.raises(RuntimeError):
        async with gate.call():
            raise RuntimeError
    with pytest.raises(RuntimeError):
        async with gate.change():
            raise RuntimeError
    async with asyncio.timeout(60), gate.change():
        pass
    async with asyncio.timeout(60), gate.call():
        pass


async def test_a_long_registration_lets_calls_in_and_no_other_change() -> None:
    """Once only the network is waited for, others send; nobody is registered or removed."""
    gate = Gate(settled_s=60)
    second = asyncio.Event()

    async def change() -> None:
        async with gate.change():
            second.set()

    async with gate.change() as let_calls_in:
        task = asyncio.create_task(change())
        let_calls_in()
        async with asyncio.timeout(60), gate.call() as enter:
            enter()
        assert not second.is_set()
    await task


async def _pause(chance: random.Random) -> None:
    for _ in range(chance.randrange(5)):
        await asyncio.sleep(0)
