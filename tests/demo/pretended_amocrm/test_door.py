"""The door of the pretended amoCRM: once it is closed, nobody is inside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from relay.demo.pretended_amocrm.door import Door

_HUNG_S = 10


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response()

    door = Door(web.Server(answer))
    await door.open()
    yield door
    await door.give_up()


@pytest.mark.parametrize("turns", range(5))
async def test_whoever_comes_as_it_closes_is_sent_away(door: Door, turns: int) -> None:
    """However far the loop has come with letting him in."""
    with socket.create_connection(("127.0.0.1", door.port)) as client:
        client.setblocking(False)
        for _ in range(turns):
            await asyncio.sleep(0)
        await door.close()
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(_HUNG_S):
                await asyncio.get_running_loop().sock_recv(client, 1)
