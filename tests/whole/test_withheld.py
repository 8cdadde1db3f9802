"""Messages that WhatsApp repeats and the library, which has had them before, keeps to itself."""

from __future__ import annotations

from tests.whatsapp_server.harness import RealClient
from tests.whole.killing import PLACEHOLDER
from tests.whole.test_texts import ANNA, Town, town

__all__ = ["town"]


async def test_a_message_lost_in_a_kill_is_told_of(town: Town) -> None:
    """The library decrypted it, and the process died: the manager sees that there was one."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    [device] = town.phone.linked_devices()
    await anna.send(town.phone, "что пропало")
    [lost] = device.waiting
    store = town.config.parent / "storage" / "sessions" / "sales.db"
    async with RealClient(town.whatsapp.environment(), store) as client:
        await client.message("что пропало")  # and nobody else will ever hear it
    await device.deliver(lost)
    async with town.relay() as relay:
        await anna.send(town.phone, "а это нет")
        await town.until_in_amocrm(2)
        assert await relay.terminate() == 0
    assert town.texts() == [PLACEHOLDER, "а это нет"]
    assert device.waiting == []


async def test_a_message_that_was_heard_is_not_told_of_again(town: Town) -> None:
    """Only WhatsApp did not hear that it was: that is so after any break of a connection."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    [device] = town.phone.linked_devices()
    await anna.send(town.phone, "раз")
    [heard] = device.waiting
    async with town.relay() as relay:
        await town.until_in_amocrm(1)
        await device.until(lambda: not device.waiting, "confirm")
        assert await relay.kill() != 0
    await device.deliver(heard)
    async with town.relay() as relay:
        await relay.logged("ignored", rule="duplicate")
        await anna.send(town.phone, "два")
        await town.until_in_amocrm(2)
        assert await relay.terminate() == 0
    assert town.texts() == ["раз", "два"]
