"""A running, connected pretended amoCRM and its two peers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.demo.pretended_amocrm.peers import Client, Clock, Receiver, receiving, talking


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bare(clock: Clock) -> AsyncIterator[PretendedAmoCRM]:
    """A server to which no channel is connected yet."""
    async with PretendedAmoCRM(now_ms=clock) as server:
        yield server


@pytest.fixture
async def client(bare: PretendedAmoCRM) -> AsyncIterator[Client]:
    async with talking(bare) as client:
        yield client


@pytest.fixture
async def server(bare: PretendedAmoCRM, client: Client) -> PretendedAmoCRM:
    """A server with its channel connected."""
    await client.connect()
    return bare


@pytest.fixture
async def receiver(server: PretendedAmoCRM) -> AsyncIterator[Receiver]:
    """Receives the server's hooks, answering 200 at once unless a test clears `let_go`."""
    receiver = Receiver()
    receiver.let_go.set()
    async with receiving(receiver) as url:
        server.sender.url = url
        yield receiver
