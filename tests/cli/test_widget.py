"""``relay widget build``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.cli.test_command_line import file, relay

__all__ = ["file"]


def test_the_archive_is_for_this_relay(file: Path, tmp_path: Path) -> None:
    """The archive carries the file's public address, and the command tells its version."""
    out = tmp_path / "w.zip"
    result = relay("widget", "build", "-c", file, "-o", out)
    assert result.exit_code == 0
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        assert b'"https://relay.example.com"' in archive.read("script.js")
    assert "https://relay.example.com" in result.stdout
    assert "amocrm.integration" in result.stderr  # this file has none


def test_a_place_that_cannot_be_written(file: Path, tmp_path: Path) -> None:
    """Exit 1 and the reason."""
    result = relay("widget", "build", "-c", file, "-o", tmp_path / "no" / "w.zip")
    assert result.exit_code == 1
    assert "cannot be written: No such file or directory" in result.stderr
