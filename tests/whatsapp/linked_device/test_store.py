"""The file of a session."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from relay.whatsapp.linked_device.store import (
    SessionBusyError,
    SessionDamagedError,
    SessionStore,
)
from tests.whatsapp.linked_device.conftest import pair, unpair


def test_the_number_in_the_file(tmp_path: Path) -> None:
    """The number of the paired device, without its device part."""
    path = tmp_path / "sales.db"
    store = SessionStore(path)
    assert store.own_number() is None
    pair(path, "74950000001")
    assert store.own_number() == "74950000001"
    unpair(path)
    assert store.own_number() is None


def test_looking_leaves_no_trace(tmp_path: Path) -> None:
    """Asking for the number creates nothing: the file belongs to the library."""
    SessionStore(tmp_path / "sales.db").own_number()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is an error of its own, not "not paired"."""
    path = tmp_path / "sales.db"
    path.write_bytes(content)
    with pytest.raises(SessionDamagedError):
        SessionStore(path).own_number()


def test_everything_is_private(tmp_path: Path) -> None:
    """Directory, file and lock are for the owner alone; an open file is made private."""
    path = tmp_path / "sessions" / "sales.db"
    store = SessionStore(path)
    store.prepare()
    with store.locked():
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()} == {0o600}
    path.chmod(0o644)
    store.prepare()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_at_a_time(tmp_path: Path) -> None:
    """The session is held by one; the next one may have it afterwards."""
    one, two = SessionStore(tmp_path / "a.db"), SessionStore(tmp_path / "a.db")
    with one.locked():
        with pytest.raises(SessionBusyError), two.locked():
            raise AssertionError("held twice")
        with SessionStore(tmp_path / "b.db").locked():
            pass
    with two.locked():
        pass


@pytest.mark.parametrize("name", ["sales.db", "a b?c#d%20&e.db", "продажи.db"])
def test_the_librarys_name_of_the_file_is_the_file(tmp_path: Path, name: str) -> None:
    """Whatever is in a path, SQLite opens this very file, with our settings."""
    path = tmp_path / name
    store = SessionStore(path)
    store.prepare()
    uri = f"file:{store.database}?_foreign_keys=on"  # as the library completes it
    with closing(sqlite3.connect(uri, uri=True)) as database:
        database.execute("CREATE TABLE there (x)")
    assert [item.name for item in tmp_path.iterdir()] == [name]
    assert path.stat().st_size > 0
    assert "_journal_mode=WAL&" in uri
