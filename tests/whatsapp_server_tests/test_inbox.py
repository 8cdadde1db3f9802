"""Waiting in a test is by events, hands each thing out once, and says what was missed."""

from __future__ import annotations

import asyncio

import pytest

from tests.whatsapp_server.inbox import Inbox


async def test_each_item_is_taken_once_and_kept_in_the_history() -> None:
    """Takers get different items, in order, by what they ask for."""
    inbox: Inbox[int] = Inbox("numbers")
    for number in (1, 2, 3):
        inbox.put(number)
    assert await inbox.take(lambda n: n > 1) == 2
    assert await inbox.take() == 1
    assert await inbox.take() == 3
    assert inbox.history == [1, 2, 3]


async def test_waiters_are_woken_by_what_they_wait_for() -> None:
    """Several may wait at once; each wakes for its own item."""
    inbox: Inbox[str] = Inbox("words")
    async with asyncio.TaskGroup() as group:
        a = group.create_task(inbox.take(lambda word: word == "a"))
        b = group.create_task(inbox.take(lambda word: word == "b"))
        await asyncio.sleep(0)
        inbox.put("b")
        inbox.put("a")
    assert (a.result(), b.result()) == ("a", "b")


async def test_a_wait_in_vain_says_what_was_missed() -> None:
    """The error names the inbox, what was waited for, and what was there instead."""
    inbox: Inbox[str] = Inbox("Anna")
    inbox.put("something else")
    with pytest.raises(TimeoutError, match=r"Anna waited for news; there is \['something else'\]"):
        await inbox.take(lambda _: False, what="news", within_s=0.01)
