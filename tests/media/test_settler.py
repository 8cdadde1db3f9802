"""The program that settles bundles may be killed at any time, alone or with the relay."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.delivery.media import KeptMedia
from relay.media import beside, unsettled
from relay.media.beside import MANY, written_beside
from relay.media.settler import AT_ONCE
from relay.media.small import Bundled
from relay.media.store import FileStore
from tests.media.kept import JPEG, LIMIT, keep

MOMENTS = (0, 1, AT_ONCE, AT_ONCE + 1, MANY + 6)
"""After so many files it is killed: before any, within a batch, between two, at the last one."""


class KilledError(Exception):
    """The relay comes to its end here, too."""


def a_store(directory: Path) -> FileStore:
    return FileStore(directory / "media", lambda: LIMIT, reserve=0)


async def many(store: FileStore) -> list[KeptMedia]:
    return [await keep(store, JPEG + bytes([n]), name=f"{n}.jpg") for n in range(MANY + 7)]


def dying_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    command = (sys.executable, "-m", "tests.media.dying_settler", str(count))
    monkeypatch.setattr(beside, "_COMMAND", command)


def all_there(store: FileStore, kept: list[KeptMedia]) -> bool:
    found = [store.find(one.name) for one in kept]
    contents = [one.path.read_bytes() for one in found if one is not None]
    whole = contents == [JPEG + bytes([n]) for n in range(len(kept))]
    return whole and len(list(store.files.glob("*/*"))) == len(kept)


@pytest.mark.parametrize("count", MOMENTS)
async def test_killed_alone_it_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """What it left undone is done here; every file is there once, whole, and the bundle goes."""
    store = a_store(tmp_path)
    kept = await many(store)
    dying_after(monkeypatch, count)
    with capture_logs() as logs:
        await store.settle()
    [line] = logs
    assert line["event"] == "media_not_settled_beside"
    assert "ended with -9" in line["error"]
    assert all_there(store, kept)
    assert not list((tmp_path / "media" / "bundles").iterdir())
    store.close()


@pytest.mark.parametrize("count", MOMENTS)
async def test_killed_with_the_relay_it_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """The next start makes the files again out of the bundle, whichever there are already."""
    store = a_store(tmp_path)
    kept = await many(store)
    dying_after(monkeypatch, count)

    def write(bundle: Path, files: Path, ones: Sequence[Bundled]) -> Sequence[Bundled]:
        try:
            return written_beside(bundle, files, ones)
        except OSError as error:
            raise KilledError from error

    monkeypatch.setattr(unsettled, "written_beside", write)
    with pytest.raises(KilledError):
        await store.settle()
    assert len(list(store.files.glob("*/*"))) == count
    again = a_store(tmp_path)
    assert all_there(again, kept)
    assert not list((tmp_path / "media" / "bundles").iterdir())
    again.close()
