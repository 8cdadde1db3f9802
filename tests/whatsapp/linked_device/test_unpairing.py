"""A running engine lets go of its number."""

from __future__ import annotations

import asyncio
import threading

import pytest

from relay.domain.outbox import Delivered
from relay.domain.session import SessionState
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.pairing_terms import NotUnlinkedError
from tests.clock import settle
from tests.whatsapp.engine_contract import PATIENCE_S, reply_to, running
from tests.whatsapp.linked_device import samples
from tests.whatsapp.linked_device.conftest import LinkedRig, pair, unpair


async def test_the_number_is_logged_out_and_its_keys_are_gone(rig: LinkedRig) -> None:
    """Once at WhatsApp; then the client is removed, the file deleted, and the channel waits."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        assert await rig.engine.unpair() == samples.OWN
        assert rig.library.logged_out == [samples.OWN]
        assert rig.library.clients == {}
        assert not rig.store.exists()
        await run.state(SessionState.UNPAIRED)
        pair(rig.store)
        rig.engine.paired()
        await run.until(lambda: run.reports.states[-1][0] is SessionState.CONNECTED)


async def test_what_whatsapp_refuses_changes_nothing(rig: LinkedRig) -> None:
    """The reason is told without numbers, and the session goes on."""
    rig.library.logout_error = "no answer for 74950000001"
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        with pytest.raises(NotUnlinkedError, match=r"no answer for \+7…01"):
            await rig.engine.unpair()
        assert rig.store.exists()
        assert isinstance(await rig.engine.send(reply_to(rig, "ещё здесь")), Delivered)


async def test_without_a_connection_nothing_is_asked(rig: LinkedRig) -> None:
    """A call about a client that the library does not know would end the process."""
    with pytest.raises(NotUnlinkedError, match="the channel is starting"):
        await rig.engine.unpair()
    unpair(rig.store)
    async with running(rig.engine) as run:
        await run.state(SessionState.UNPAIRED)
        with pytest.raises(NotUnlinkedError, match="the channel is unpaired"):
            await rig.engine.unpair()
        pair(rig.store)
        rig.engine.paired()
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.DISCONNECTED)
        await run.state(SessionState.RECONNECTING)
        with pytest.raises(NotUnlinkedError, match="the channel is reconnecting"):
            await rig.engine.unpair()
    assert rig.library.logged_out == []


async def test_a_message_in_flight_comes_first(rig: LinkedRig) -> None:
    """Its outcome would be unknown if the device went away under it."""
    sending, go_on = threading.Event(), threading.Event()

    def answer() -> bytes:
        sending.set()
        go_on.wait(PATIENCE_S)
        return samples.answer(id_="3EB0AA")

    rig.library.answer = answer
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        send = asyncio.create_task(rig.engine.send(reply_to(rig, "в пути")))
        await asyncio.to_thread(sending.wait, PATIENCE_S)
        letting_go = asyncio.create_task(rig.engine.unpair())
        await settle()
        assert rig.library.logged_out == []
        go_on.set()
        assert isinstance(await send, Delivered)
        assert await letting_go == samples.OWN
