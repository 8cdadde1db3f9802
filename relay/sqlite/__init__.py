"""SQLite: opening, migrations, and the ledger kept in it. No rule of retrying or routing."""

from relay.sqlite.errors import (
    StorageBusyError,
    StorageDamagedError,
    StorageError,
    StorageOfAnotherAccountError,
    StorageTooNewError,
    StorageUnusableError,
    StoreClosedError,
)
from relay.sqlite.store import SqliteStore, open_store

__all__ = [
    "SqliteStore",
    "StorageBusyError",
    "StorageDamagedError",
    "StorageError",
    "StorageOfAnotherAccountError",
    "StorageTooNewError",
    "StorageUnusableError",
    "StoreClosedError",
    "open_store",
]
