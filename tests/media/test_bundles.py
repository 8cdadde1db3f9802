"""Many small files in one, and what can be read of it after anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.media.bundles import Bundles, Record, records

FIRST: Record = ("a~photo.jpg", b"first")
SECOND: Record = ("b~o~файл.bin", b"")
THIRD: Record = ("c~c", bytes(range(256)))


def test_what_was_added_is_read_in_its_order(tmp_path: Path) -> None:
    """Whether it was added at once or one after the other."""
    bundles = Bundles(tmp_path)
    bundles.add([FIRST, SECOND])
    bundles.add([THIRD])
    ended = bundles.ended(at_once=True)
    assert ended is not None
    assert list(records(ended)) == [FIRST, SECOND, THIRD]


def test_a_content_is_found_at_its_place(tmp_path: Path) -> None:
    """Of each that was added, in the order in which they were."""
    bundles, contents = Bundles(tmp_path), list[bytes]()
    for some in ([FIRST, SECOND], [THIRD]):
        for (_, content), place in zip(some, bundles.add(some), strict=True):
            contents.append(place.bundle.read_bytes()[place.at :][: len(content)])
    assert contents == [content for _, content in (FIRST, SECOND, THIRD)]


def test_a_torn_end_is_not_read(tmp_path: Path) -> None:
    """Wherever it is torn, what stands before is read."""
    bundles = Bundles(tmp_path)
    bundles.add([FIRST, THIRD])
    ended = bundles.ended(at_once=True)
    assert ended is not None
    whole = ended.read_bytes()
    for length in range(len(whole)):
        ended.write_bytes(whole[:length])
        assert list(records(ended)) in ([], [FIRST])
    ended.write_bytes(whole + bytes(100))
    assert list(records(ended)) == [FIRST, THIRD]


def test_a_full_one_ends_and_another_begins(tmp_path: Path) -> None:
    """What is added next stands in a file of its own."""
    bundles = Bundles(tmp_path, full=290)
    bundles.add([FIRST])
    assert bundles.ended() is None
    bundles.add([THIRD])
    first = bundles.ended()
    bundles.add([SECOND])
    second = bundles.ended(at_once=True)
    assert first is not None
    assert second is not None
    assert [list(records(path)) for path in (first, second)] == [[FIRST, THIRD], [SECOND]]
    assert bundles.ended(at_once=True) is None


def test_one_with_many_files_ends_however_small_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something is remembered of each of them, and that is to be little."""
    monkeypatch.setattr("relay.media.bundles.MOST", 3)
    bundles = Bundles(tmp_path)
    bundles.add([FIRST, SECOND])
    assert bundles.ended() is None
    bundles.add([THIRD])
    assert bundles.ended() is not None
    bundles.add([FIRST])
    assert bundles.ended() is None


def test_what_another_process_left_is_not_touched(tmp_path: Path) -> None:
    """It is told, the oldest first, and new ones are called something else."""
    left = list[Path]()
    for _ in range(3):
        bundles = Bundles(tmp_path)
        assert bundles.left == left
        bundles.add([FIRST])
        left = sorted(tmp_path.iterdir())
    assert len(left) == 3


def test_a_stranger_among_them_is_left_alone(tmp_path: Path) -> None:
    """Nothing is read from what is not ours."""
    (tmp_path / "notes.txt").write_text("mine")
    bundles = Bundles(tmp_path)
    bundles.add([FIRST])
    assert bundles.left == []
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_the_disk_refused_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that counts as kept stands behind something that does not."""
    bundles = Bundles(tmp_path)
    bundles.add([FIRST])

    def refuse(_: int) -> None:
        raise OSError("refused")

    with monkeypatch.context() as broken:
        broken.setattr("os.fdatasync", refuse)
        with pytest.raises(OSError, match="refused"):
            bundles.add([THIRD])
    bundles.add([SECOND])
    ended = bundles.ended(at_once=True)
    assert ended is not None
    assert list(records(ended))[:2] == [FIRST, SECOND]
