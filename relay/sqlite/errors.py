"""Why a storage directory cannot be used, in sentences for the administrator."""

from __future__ import annotations


class StorageError(Exception):
    """The storage cannot be used. Its text says what is wrong, where, and what to do."""


class StorageBusyError(StorageError):
    """Another process owns the directory."""


class StorageTooNewError(StorageError):
    """A newer relay wrote this database."""


class StorageOfAnotherAccountError(StorageError):
    """The database holds the conversations of another amoCRM account."""


class StorageDamagedError(StorageError):
    """The file is not a database, or no longer a sound one."""


class StorageUnusableError(StorageError):
    """The operating system refuses: no permission, no room, not a directory."""


class StoreClosedError(StorageError):
    """The store was closed before this work was given to it; waiting would not help."""
