"""The store on disk keeps the contract of every store."""

from __future__ import annotations

from tests.delivery.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    """The contract."""
