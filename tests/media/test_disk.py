"""What is written is written whole, however the system takes it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from relay.media.disk import write_all, write_new
from relay.media.names import State


def test_a_new_file_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the system may take a few bytes at a time."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    write_new(str(tmp_path / "file"), b"content", 0o600)
    assert (tmp_path / "file").read_bytes() == b"content"


@pytest.mark.parametrize("permissions", list(State))
def test_a_new_file_has_its_permissions(tmp_path: Path, permissions: State) -> None:
    """Whatever the process's mask takes from others: they tell who may still need the file."""
    before = os.umask(0o177)
    try:
        write_new(str(tmp_path / "file"), b"content", permissions)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == permissions


@pytest.mark.parametrize("most", [1, 3, 1_000_000])
def test_all_parts_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """In their order, though the system may take a few bytes at a time."""
    real = os.pwritev

    def few(fd: int, parts: Sequence[memoryview], at: int) -> int:
        return real(fd, [memoryview(b"".join(parts))[:most]], at)

    monkeypatch.setattr(os, "pwritev", few)
    path = tmp_path / "file"
    path.write_bytes(b"start")
    parts = [b"one", b"", b"two", b"", b"", b"three" * 50]
    with path.open("r+b") as file:
        assert write_all(file.fileno(), parts, 5) == 5 + len(b"".join(parts))
        assert write_all(file.fileno(), [b"", b""], 7) == 7
    assert path.read_bytes() == b"start" + b"".join(parts)


def test_more_parts_than_the_system_takes_are_written(tmp_path: Path) -> None:
    """In several calls."""
    path = tmp_path / "file"
    parts = [number.to_bytes(2, "big") for number in range(3_000)]
    with path.open("w+b") as file:
        write_all(file.fileno(), parts, 0)
    assert path.read_bytes() == b"".join(parts)


def test_a_file_that_cannot_be_written_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that is there is not touched."""

    def refuse(*_: object) -> int:
        raise OSError("full")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", refuse)
        with pytest.raises(OSError, match="full"):
            write_new(str(tmp_path / "file"), b"content", 0o600)
    assert list(tmp_path.iterdir()) == []
    write_new(str(tmp_path / "file"), b"content", 0o600)
    with pytest.raises(FileExistsError):
        write_new(str(tmp_path / "file"), b"other", 0o600)
    assert (tmp_path / "file").read_bytes() == b"content"
