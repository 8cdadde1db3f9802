"""A process beside writes files out of a bundle; it is the real one, on a real disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from relay.media import beside
from relay.media.beside import written_beside
from relay.media.bundles import Bundles
from relay.media.names import FileName, State, path_of
from relay.media.small import Bundled

MINUTE_NS = 60_000_000_000


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for folder in ("files", "files/a", "files/b", "bundles"):
        (tmp_path / folder).mkdir()
    return tmp_path / "files"


def bundled(files: Path, contents: dict[str, bytes]) -> list[Bundled]:
    """Files of one bundle, by their names on disk."""
    places = Bundles(files.parent / "bundles").add(list(contents.items()))
    return [
        Bundled(FileName(*on_disk.split("~")), place, len(content), number * MINUTE_NS, State.NEW)
        for number, ((on_disk, content), place) in enumerate(
            zip(contents.items(), places, strict=True), 1
        )
    ]


def write(files: Path, ones: list[Bundled]) -> list[str]:
    return [one.name.name for one in written_beside(ones[0].place.bundle, files, ones)]


def test_each_gets_its_content_its_age_and_its_mark(files: Path) -> None:
    """Whatever it is called and however long it is, in the folder of its token."""
    contents = {
        "a1~plain.jpg": b"one",
        "b2~of two\nlines и ещё.jpg": b"",
        f"a3~{'x' * 200}.jpg": bytes(100_000),
    }
    ones = bundled(files, contents)
    ones[1].state = State.FETCHED
    assert len(write(files, ones)) == 3
    for one, content in zip(ones, contents.values(), strict=True):
        path = Path(path_of(files, one.name))
        told = path.stat()
        assert path.read_bytes() == content
        assert (told.st_mtime_ns, stat.S_IMODE(told.st_mode)) == (one.since_ns, one.state)
    assert len(list(files.glob("*/*"))) == 3


def test_what_is_there_already_is_left_alone(files: Path) -> None:
    """And told: whoever gave the order knows better what it should be."""
    ones = bundled(files, {"a1~a.jpg": b"a", "a2~b.jpg": b"b", "b1~c.jpg": b"c"})
    there = Path(path_of(files, ones[1].name))
    there.write_bytes(b"other")
    assert write(files, ones) == ["a.jpg", "c.jpg"]
    assert there.read_bytes() == b"other"


def test_a_file_has_no_name_before_it_is_whole(files: Path) -> None:
    """A bundle that ends too soon makes no half of a file, and the fault is told with its words."""
    ones = bundled(files, {"a1~a.jpg": b"a" * 1000, "a2~b.jpg": b"b" * 1000})
    bundle = ones[0].place.bundle
    os.truncate(bundle, bundle.stat().st_size - 1)
    with pytest.raises(OSError, match=r"ended with 1: OSError: the bundle ends within 'a2~b\.jpg'"):
        write(files, ones)
    assert not list(files.glob("*/*"))


def test_one_that_takes_too_long_is_ended(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that hangs must not keep a thread for ever."""
    monkeypatch.setattr(beside, "_PATIENCE_S", 0.0)
    with pytest.raises(OSError, match="took over 0 s"):
        write(files, bundled(files, {"a1~a.jpg": b"a"}))
