"""What the command line tells the running relay about the linking of numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from relay.app.linking import linking_routes, paired_route, unpair_route
from relay.app.listen import CONTROL
from relay.cli.control import StatusError, ask
from relay.domain.ids import OwnNumber
from relay.web.server import Server, bind_unix
from relay.whatsapp.linked_device.pairing_terms import NotUnlinkedError
from tests.app.site import Site


class Engine:
    """A linkable engine that notes what it was told."""

    def __init__(self, trouble: str = "") -> None:
        self.told = 0
        self._trouble = trouble

    def paired(self) -> None:
        self.told += 1

    async def unpair(self) -> OwnNumber:
        if self._trouble:
            raise NotUnlinkedError(self._trouble)
        return OwnNumber("74950000001")


@pytest.fixture
async def engines(tmp_path: Path) -> AsyncIterator[dict[str, object]]:
    """The engines of a relay whose control socket is open in ``tmp_path``."""
    engines: dict[str, object] = {}
    routes = linking_routes(engines.get)
    async with Server(bind_unix(tmp_path / CONTROL), routes):
        yield engines


async def test_an_engine_is_told_to_look(tmp_path: Path, engines: dict[str, object]) -> None:
    """The engine of that channel, and no other."""
    engines |= {"sales": Engine(), "support": Engine()}
    assert await ask(tmp_path, "POST", paired_route("sales")) == (200, {})
    assert [engine.told for engine in engines.values() if isinstance(engine, Engine)] == [1, 0]


async def test_an_engine_logs_out(tmp_path: Path, engines: dict[str, object]) -> None:
    """Its number comes back; what is in the way comes back as a conflict."""
    engines |= {"sales": Engine(), "support": Engine(trouble="the channel is reconnecting")}
    assert await ask(tmp_path, "POST", unpair_route("sales")) == (200, {"number": "74950000001"})
    trouble = {"error": "the channel is reconnecting"}
    assert await ask(tmp_path, "POST", unpair_route("support")) == (409, trouble)


@pytest.mark.parametrize("route", [paired_route("sales"), unpair_route("sales")])
async def test_what_cannot_be_linked_is_not_found(
    tmp_path: Path, engines: dict[str, object], route: str
) -> None:
    """No such channel, or one of an engine that is not linked: 404 both."""
    assert (await ask(tmp_path, "POST", route))[0] == 404
    engines["sales"] = object()
    assert (await ask(tmp_path, "POST", route))[0] == 404


async def test_nobody_there(tmp_path: Path) -> None:
    """Without a relay it is told which socket nobody answers on."""
    with pytest.raises(StatusError, match=CONTROL):
        await ask(tmp_path, "POST", paired_route("sales"))


async def test_only_the_control_socket_has_them(here: Site) -> None:
    """Neither the door for hooks nor the admin address knows these routes."""
    await here.start()

    async with aiohttp.ClientSession() as session:
        for base in (here.relay.hooks_url, here.relay.admin_url):
            for route in (paired_route("sales"), unpair_route("sales")):
                async with session.post(base + route) as answer:
                    assert answer.status == 404
                    assert answer.content_type != "application/json"
    status, answer_ = await ask(here.storage, "POST", paired_route("sales"))
    assert (status, answer_) == (404, {"error": "no such channel runs"})
