"""Numbers and hidden addresses with the real library against our own WhatsApp server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.domain.ids import ClientAddress, OwnNumber
from relay.domain.message import Alias
from tests.whatsapp.linked_device.engine_process import EngineProcess
from tests.whatsapp.linked_device.scene import OWN, Scene, connected

Live = tuple[Scene, EngineProcess]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with connected(tmp_path) as pair:
        yield pair


def same(there: Scene) -> Alias:
    hidden = ClientAddress(f"lid:{there.anna.lid.user}")
    return Alias(OwnNumber(OWN), hidden, ClientAddress(there.anna.number))


async def test_a_check_tells_who_is_there_and_by_which_hidden_address(live: Live) -> None:
    """Here and not here, by the numbers asked; the hidden address told by the way is kept."""
    there, engine = live
    boris = there.server.contact("79161234568", "Борис")
    found = await engine.check(there.anna.number, "79990000000", boris.number)
    assert found == {there.anna.number: True, "79990000000": False, boris.number: True}
    assert await engine.alias() == same(there)


async def test_an_answer_by_hidden_address_alone_is_of_the_number_written_to(live: Live) -> None:
    """We wrote to the number; whose hidden address answers is in the journal before he can."""
    there, engine = live
    await engine.send(there.anna.number, "Добрый день")
    assert await engine.alias() == same(there)
    await there.anna.received("Добрый день")
    await there.anna.send(there.phone, "слушаю", addressing="lid_alone")
    message = await engine.message()
    assert (message.client.address, message.client.phone) == (same(there).hidden, None)


async def test_a_hidden_address_is_looked_up_in_the_librarys_own_file(live: Live) -> None:
    """Known from before, told by nobody now: the number follows its message."""
    there, engine = live
    await there.anna.send(there.phone, "with the number", addressing="lid")
    assert await engine.alias() == same(there)
    await engine.kill()
    async with there.engine() as again:  # it knows nothing of what was told before
        await again.state("connected")
        await there.device.online()
        await there.anna.send(there.phone, "alone", addressing="lid_alone")
        message = await again.message()
        assert message.client.phone is None
        assert await again.alias() == same(there)


async def test_without_a_connection_a_check_says_nothing(live: Live) -> None:
    """The service is away: neither yes nor no."""
    there, engine = live
    there.server.go_down()
    there.device.drop()
    await engine.state("reconnecting")
    assert await engine.check(there.anna.number) == {there.anna.number: None}
