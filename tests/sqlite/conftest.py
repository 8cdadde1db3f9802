"""A store on disk for every test, closed after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from relay.delivery.store import Store
from relay.sqlite import SqliteStore, open_store
from tests.delivery.store_contract import Crash
from tests.sqlite.images import ACCOUNT, open_image


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with open_store(tmp_path / "store", account=ACCOUNT) as store:
        yield store


@pytest.fixture
async def crash(store: SqliteStore, tmp_path: Path) -> AsyncIterator[Crash]:
    async with AsyncExitStack() as closing:

        async def crash() -> Store:
            again = open_image(tmp_path / "store", tmp_path / "image")
            return await closing.enter_async_context(again)

        yield crash
