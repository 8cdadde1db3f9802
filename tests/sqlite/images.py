"""Crash images: the files as a kill would leave them, opened as another process would."""

from __future__ import annotations

import shutil
from pathlib import Path

from relay.sqlite import SqliteStore, open_store

ACCOUNT = "https://example.amocrm.ru"


def image(directory: Path, to: Path) -> Path:
    """Copy the database and its log as they are now, while the store goes on."""
    to.mkdir()
    for name in ("relay.db", "relay.db-wal"):
        if (directory / name).exists():
            shutil.copy(directory / name, to / name)
    return to


def open_image(directory: Path, to: Path) -> SqliteStore:
    """Open a crash image of the directory."""
    return open_store(image(directory, to), account=ACCOUNT)
