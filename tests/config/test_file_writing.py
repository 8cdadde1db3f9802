"""Writing the file: whole or not at all, with its owner and mode, never over somebody's change."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from relay.config import writing
from relay.config.writing import (
    KEPT_COPIES,
    NotWritableError,
    StaleFileError,
    command_to_allow,
    copies_of,
    version_of,
    write_file,
)

NOW_MS = 1_770_113_730_123


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of the administrator's."""
    path = tmp_path / "config.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


def write(path: Path, content: bytes, now_ms: int = NOW_MS) -> None:
    write_file(path, content, version_of(path.read_bytes()), now_ms)


def test_the_new_content_takes_its_place(file: Path) -> None:
    """With the mode of the old one, which stays beside it under its date; nothing else does."""
    write(file, b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    [copy] = copies_of(file)
    assert copy.name == "config.yaml.20260203T101530123Z.bak"
    assert copy.read_bytes() == b"old"
    assert sorted(file.parent.iterdir()) == [file, copy]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(file: Path) -> None:
    """The service may run as somebody else than whoever edits by hand."""
    os.chown(file, 4711, 4712)
    write(file, b"new")
    assert (file.stat().st_uid, file.stat().st_gid) == (4711, 4712)


def test_links_stay_links(file: Path, tmp_path: Path) -> None:
    """What the link leads to is written."""
    link = tmp_path / "etc" / "config.yaml"
    link.parent.mkdir()
    link.symlink_to(file)
    write(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"
    assert len(copies_of(link)) == 1


def test_the_last_few_versions_stay(file: Path) -> None:
    """The oldest ones go."""
    for n in range(KEPT_COPIES + 3):
        write(file, str(n).encode(), NOW_MS + n * 1000)
    contents = [copy.read_bytes() for copy in copies_of(file)]
    assert contents == [str(n).encode() for n in range(2, KEPT_COPIES + 2)]


def test_a_change_by_somebody_else_is_not_overwritten(file: Path) -> None:
    """The file is as he left it, and nothing lies about."""
    with pytest.raises(StaleFileError):
        write_file(file, b"new", version_of(b"something else"), NOW_MS)
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"old"]


def test_a_failure_leaves_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the disk says, at whatever step."""
    for step in ("_dress", "_keep_copy"):
        with monkeypatch.context() as patch:
            patch.setattr(writing, step, _full)
            with pytest.raises(OSError, match="full"):
                write(file, b"new")
        assert [path.read_bytes() for path in file.parent.iterdir()] == [b"old"]


def _full(*_: object) -> None:
    raise OSError("full")


def test_who_may_not_write_says_what_would_allow_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command, for a shell or for the unit; and nothing is tried."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    with pytest.raises(NotWritableError) as refused:
        write(file, b"new")
    assert str(refused.value) == f"chmod u+wx {file.parent}"
    assert file.read_bytes() == b"old"
    group = file.with_name("cgroup")
    group.write_text("0::/system.slice/relay.service\n")
    monkeypatch.setenv("INVOCATION_ID", "1")
    monkeypatch.setattr(writing, "_UNIT_FILE", group)
    command = command_to_allow(file)
    assert command is not None
    assert f"ReadWritePaths={file.parent}" in command
    assert "/etc/systemd/system/relay.service.d/editable.conf" in command
    assert "\n" not in command


def test_a_foreign_file_is_not_ours_to_replace(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could not be kept, so it is to be given to us, with its directory."""
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 61_234)
    command = command_to_allow(file)
    assert command is not None
    assert command == f"chown {file.stat().st_uid + 61_234}:{os.getegid()} {file.parent} {file}"
