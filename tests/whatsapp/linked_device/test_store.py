"""The file of a session."""

from __future__ import annotations

import os
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


def test_a_session_made_aside_takes_its_place_whole(tmp_path: Path) -> None:
    """What was in the place before is gone, with its side files; nothing half made is left."""
    path = tmp_path / "sales.db"
    pair(path, "74950000001")
    Path(f"{path}-wal").write_bytes(b"of the old file")
    store = SessionStore(path)
    aside = store.aside
    aside.prepare()
    pair(aside.path, "74950000002")
    held = sqlite3.connect(aside.path)  # as the library does to its end
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("CREATE TABLE more AS SELECT 1")
    store.adopt(aside)
    assert {item.name for item in tmp_path.iterdir()} == {"sales.db"}
    held.close()
    assert store.own_number() == "74950000002"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT * FROM more").fetchall() == [(1,)]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_removed_session_leaves_nothing(tmp_path: Path) -> None:
    """The keys are gone, also from the side files; what is gone may be removed again."""
    path = tmp_path / "sales.db"
    pair(path)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").write_bytes(b"keys")
    SessionStore(path).remove()
    SessionStore(path).remove()
    assert list(tmp_path.iterdir()) == []


def test_no_link_is_followed(tmp_path: Path) -> None:
    """A link in the place of a file is refused: root would open what it leads to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    for name in ("sales.db", "sales.lock"):
        (sessions / name).symlink_to(elsewhere)
    store = SessionStore(sessions / "sales.db")
    with pytest.raises(OSError, match="symbolic links"):
        store.prepare()
    with pytest.raises(OSError, match="symbolic links"), store.locked():
        pass
    assert elsewhere.read_bytes() == b"precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to somebody else")
def test_root_leaves_everything_to_the_directorys_owner(tmp_path: Path) -> None:
    """What root makes belongs to whoever owns the storage directory, and stays private."""
    os.chown(tmp_path, 61_234, 61_235)
    store = SessionStore(tmp_path / "sessions" / "sales.db")
    store.prepare()
    with store.locked():
        made = [tmp_path / "sessions", *(tmp_path / "sessions").iterdir()]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(61_234, 61_235)}
