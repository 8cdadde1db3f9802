"""The spool in memory keeps the contract."""

from __future__ import annotations

import pytest

from relay.delivery.store import Spool
from tests.delivery.contract_spool import Reopen, SpoolContract
from tests.delivery.memory_spool import MemorySpool


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool(10_000)


@pytest.fixture
def reopen(spool: MemorySpool) -> Reopen:
    def reopen() -> Spool:
        return spool

    return reopen


class TestMemorySpool(SpoolContract):
    """The contract."""
