"""The file of the tokens: whole or not at all, for its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from relay.app.grant_file import NAME, GrantFile
from relay.sqlite.errors import StorageError
from tests.app.site import Site


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    """Nothing at first, then the latest, readable by its owner only, with nothing left beside."""
    file = GrantFile(tmp_path)
    assert file.read() is None
    for content in (b"long, long tokens", b"short", b""):
        file.keep(content)
        assert file.read() == content
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_death_while_writing_leaves_the_old(tmp_path: Path) -> None:
    """What was written aside and not renamed counts for nothing, and is in nobody's way."""
    file = GrantFile(tmp_path)
    file.keep(b"old")
    (tmp_path / f"{NAME}.new").write_bytes(b"half of the n")
    assert file.read() == b"old"
    file.keep(b"n")
    assert file.read() == b"n"


def test_a_disk_that_refuses_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes out, and what was kept is kept."""
    file = GrantFile(tmp_path)
    file.keep(b"old")

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relay.app.grant_file.os.fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        file.keep(b"new")
    assert file.read() == b"old"


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Whoever may write into the directory must not lead root's pen elsewhere."""
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    (tmp_path / f"{NAME}.new").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        GrantFile(tmp_path).keep(b"tokens")
    assert other.read_bytes() == b"precious"


def test_what_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    """With its path, and what to do."""
    (tmp_path / NAME).mkdir()
    with pytest.raises(StorageError, match=r"oauth\.json: .*0600"):
        GrantFile(tmp_path).read()


async def test_a_relay_that_cannot_read_its_tokens(here: Site) -> None:
    """Exit 1 in words: tokens that are there must not be taken for none."""
    (here.storage / NAME).mkdir(parents=True)
    relay = await here.begin()
    assert await relay.until_ended() == 1
    assert NAME in relay.errors
    assert "Traceback" not in relay.errors
