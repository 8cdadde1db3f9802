"""A ``kill -9`` at every step of a send: the client never reads a message twice.

And wherever the kill came: what he has got is told to the manager as delivered in the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from relay.demo.pretended_amocrm import OLGA
from tests.whatsapp_server import Contact, LinkedDevice
from tests.whole.daemon import Daemon
from tests.whole.test_texts import ANNA, CHAT, Town, town  # noqa: F401 - town is a fixture

# ruff: noqa: F811 - the fixture is meant

FIRST, SECOND = "до обрыва", "после обрыва"
Step = Callable[[Daemon, LinkedDevice, Contact], Awaitable[object]]


async def _answered(_: Daemon, __: LinkedDevice, ___: Contact) -> None:
    """The hook was answered."""


async def _begun(relay: Daemon, _: LinkedDevice, __: Contact) -> None:
    """It is on its way to the library."""
    await relay.logged("accepted", direction="out")


async def _on_the_wire(_: Daemon, device: LinkedDevice, __: Contact) -> None:
    """It was sent and lost: the line broke before WhatsApp had it."""
    await device.offline()


async def _arrived(_: Daemon, __: LinkedDevice, anna: Contact) -> None:
    """The client has it, and WhatsApp has not answered the relay."""
    await anna.received(FIRST)


async def _written_down(relay: Daemon, _: LinkedDevice, __: Contact) -> None:
    """The relay has the answer and has written it down."""
    await relay.logged("delivered", direction="out")


STEPS: dict[str, tuple[Step, Callable[[LinkedDevice], None]]] = {
    "hook answered": (_answered, lambda _: None),
    "letter put": (_begun, lambda _: None),
    "lost on the wire": (_on_the_wire, lambda d: d.drop_before_next_ack(delivered=False)),
    "arrived, unanswered": (_arrived, lambda d: setattr(d, "silent", True)),
    "arrived, answered": (_arrived, lambda _: None),
    "written down": (_written_down, lambda _: None),
}


@pytest.mark.parametrize("step", STEPS)
async def test_no_kill_makes_a_message_come_twice(town: Town, step: str) -> None:
    """Each message at most once, in order; each that arrived ends as delivered."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    device = town.whatsapp.session(town.phone)
    reached, prepare = STEPS[step]
    async with town.relay() as relay:
        await anna.send(town.phone, "Здравствуйте")
        await town.until_in_amocrm(1)
        prepare(device)
        first = await town.amocrm.write(CHAT, OLGA, FIRST)
        await reached(relay, device, anna)
        await relay.kill()
    device.silent = False
    for heard in anna.messages.history:
        await anna.receipt(heard, "delivered")
    early = len(anna.messages.history)
    async with town.relay() as relay:
        second = await town.amocrm.write(CHAT, OLGA, SECOND)
        await anna.received(SECOND)
        for heard in anna.messages.history[early:]:
            await anna.receipt(heard, "delivered")
        texts = [heard.text for heard in anna.messages.history]
        known = [message for message in (first, second) if message.text in texts]
        await town.amocrm.wait_for(lambda _: all(m.status == 1 for m in known), 30)
        if first not in known:  # its manager will be told so, unless a receipt comes within minutes
            assert "stopped" in (await relay.logged("dead", kind="reply"))["error"]
    assert texts in ([FIRST, SECOND], [SECOND])
    assert anna.repeated == []
    if "arrived" in step or step == "written down":
        assert texts[0] == FIRST
