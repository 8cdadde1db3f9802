"""Small files kept together, on a real disk: what a kill, or the disk itself, makes of it."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.delivery.media import KeptMedia
from relay.delivery.store import StoreRefusedError
from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.media import kinds
from relay.media.names import State
from relay.media.small import Bundled, Small
from relay.media.store import FileStore
from tests.media.kept import JPEG, LIMIT, keep, on_disk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(tmp_path / "media", lambda: LIMIT, reserve=0)
    yield made
    made.close()


def bundles(store: FileStore) -> list[Path]:
    return sorted((store.files.parent / "bundles").iterdir())


async def test_a_small_file_outlives_its_own_file(tmp_path: Path) -> None:
    """Kept is kept, though the machine died before its file, or all of it, was on the disk."""
    store, names = FileStore(tmp_path, lambda: LIMIT, reserve=0), ("none", "whole", "torn", "gone")
    kept = [await keep(store, JPEG + name.encode(), name) for name in names]
    _, torn, gone = [store.path(one.name) for one in kept[1:]]
    torn.write_bytes(b"to")
    gone.unlink()
    assert len(on_disk(store)) == 2
    again = FileStore(tmp_path, lambda: LIMIT, reserve=0)  # the first one never closed
    for one, name in zip(kept, names, strict=True):
        assert again.path(one.name).read_bytes() == JPEG + name.encode()
    assert not bundles(again)
    assert len(on_disk(again)) == 4
    again.close()


async def test_what_is_made_again_keeps_its_mark(tmp_path: Path) -> None:
    """What amoCRM has already is not waited for anew; of what was not there nobody can tell."""
    store = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    kept = [await keep(store, JPEG + name.encode(), name) for name in ("fetched", "gone")]
    for one in kept:
        found = store.find(one.name)
        assert found is not None
        store.note_fetched(found)
    store.path(kept[1].name).unlink()
    again = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    found_again = [again.find(one.name) for one in kept]
    assert [found and found.state for found in found_again] == [State.FETCHED, State.NEW]
    again.close()


async def test_what_was_torn_while_it_was_bundled_is_not_made_up(tmp_path: Path) -> None:
    """Nobody was told of it; what stands before it is there."""
    store = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    first, second = await keep(store, name="first.jpg"), await keep(store, name="second.jpg")
    [bundle] = bundles(store)
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"?")
    for kept in (first, second):
        store.path(kept.name).unlink()
    again = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    assert again.path(first.name).read_bytes() == JPEG
    assert again.find(second.name) is None
    again.close()


async def test_nothing_small_is_kept_that_is_not_on_the_disk(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file, no yes; and the next one is kept again."""
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", _refuse)
        with pytest.raises(StoreRefusedError):
            await keep(store)
    assert not on_disk(store)
    kept = await keep(store)
    assert store.path(kept.name).read_bytes() == JPEG


async def test_small_files_wait_for_the_disk_together(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first alone, all that came meanwhile at once."""
    real, waits = os.fdatasync, list[int]()

    def counted(fd: int) -> None:
        waits.append(fd)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", counted)
    kept = await asyncio.gather(*(keep(store, name=f"{number}.jpg") for number in range(20)))
    assert len({one.name for one in kept}) == 20
    assert len(waits) == 2


async def test_a_fault_with_one_small_file_is_its_own(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are kept together with it are kept."""
    real = kinds.identify

    def identify(head: bytes, name: str, what: MediaKind) -> tuple[str, str]:
        if name == "bad":
            raise ValueError(name)
        return real(head, name, what)

    monkeypatch.setattr("relay.media.shelf.identify", identify)
    names = ("a.jpg", "b.jpg", "bad", "c.jpg")
    done = await asyncio.gather(*(keep(store, name=name) for name in names), return_exceptions=True)
    kept = [one.file_name if isinstance(one, KeptMedia) else type(one) for one in done]
    assert kept == ["a.jpg", "b.jpg", ValueError, "c.jpg"]


async def test_a_file_of_its_own_is_written_when_it_is_needed(store: FileStore) -> None:
    """By whoever asks for its path, or when it is settled; for WhatsApp, which asks soon, at once.

    It is as old as if it had been written at once.
    """
    begun_ns = time.time_ns()
    asked, _ = [await keep(store, name=name) for name in ("asked.jpg", "settled.jpg")]
    assert not on_disk(store)
    ended_ns = time.time_ns()
    assert store.path(asked.name).read_bytes() == JPEG
    assert len(on_disk(store)) == 1
    await keep(store, name="own.jpg", towards=Destination.WHATSAPP)
    assert len(on_disk(store)) == 2
    await store.settle()
    assert len(on_disk(store)) == 3
    times = [path.stat().st_mtime_ns for path in store.files.glob("*/*") if "own" not in path.name]
    assert all(begun_ns <= time_ns <= ended_ns for time_ns in times)


async def test_what_came_again_stays_when_its_first_bundle_goes(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later bundle holds it then; and that amoCRM has had it counts no more."""
    monkeypatch.setattr(store._shelf._bundles, "_full", 1)
    kept = await keep(store)
    found = store.find_bundled(kept.name)
    assert found is not None
    store.note_fetched(found)
    assert await keep(store) == kept
    assert len(bundles(store)) == 2
    assert store._settling._settle_one()
    assert not on_disk(store)
    assert store._settling._settle_one()
    found_again = store.find(kept.name)
    assert found_again is not None
    assert found_again.state is State.NEW
    assert found_again.path.read_bytes() == JPEG


async def test_what_comes_again_while_it_is_written_is_not_forgotten(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as wanted as what came last, whichever thread is first."""
    kept, real, again = await keep(store), Bundled.read, list[Small]()
    found = store.find_bundled(kept.name)
    assert found is not None
    store.note_fetched(found)

    def read(one: Bundled) -> bytes:
        content = real(one)
        if not again:
            media = Media(MediaKind.IMAGE, None, name="photo.jpg")
            again.append(
                Small(content, hashlib.sha256(content).digest(), media, Destination.AMOCRM)
            )
            store._shelf.show_together(again)
        return content

    monkeypatch.setattr(Bundled, "read", read)
    await store.settle()
    assert again[0].kept == kept
    found_again = store.find(kept.name)
    assert found_again is not None
    assert found_again.state is State.NEW


async def test_what_was_settled_is_kept_once(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file is brought to the disk before the bundle goes; what is removed stays removed."""
    real, synced = os.fdatasync, set[str]()
    kept = [await keep(store, name=f"{number}.jpg") for number in range(3)]
    found = store.find(kept[0].name)
    assert found is not None
    store.note_fetched(found)

    def noted(fd: int) -> None:
        synced.add(Path(f"/proc/self/fd/{fd}").readlink().name)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", noted)
    await store.settle()
    assert synced == set(on_disk(store))
    assert not bundles(store)
    assert store.remove(store.path(kept[1].name))
    store.close()
    again = FileStore(store.files.parent, lambda: LIMIT, reserve=0)
    assert [again.find(one.name) is not None for one in kept] == [True, False, True]
    again.close()


async def test_a_clean_stop_leaves_no_bundle(tmp_path: Path) -> None:
    """The next start has nothing to make again."""
    store = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    await keep(store)
    assert bundles(store)
    store.close()
    assert not bundles(store)


async def test_a_bundle_stays_until_the_disk_has_its_files(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it refuses one of them, that is told, and the next start sees to it."""
    kept = await keep(store)
    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(os, "fdatasync", _refuse)
        await store.settle()
    assert [line["event"] for line in logs] == ["media_not_settled"]
    assert len(bundles(store)) == 1
    store.path(kept.name).write_bytes(bytes(len(JPEG)))  # what such a disk may make of it
    again = FileStore(store.files.parent, lambda: LIMIT, reserve=0)
    assert again.path(kept.name).read_bytes() == JPEG
    again.close()


async def test_too_many_full_bundles_are_settled_meanwhile(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files come at once, few bytes are kept twice."""
    monkeypatch.setattr(store._shelf._bundles, "_full", 500_000)
    for number in range(60):
        await keep(store, JPEG + bytes(100_000), name=f"{number}.jpg")
        assert len(bundles(store)) <= 8
    await store.settle()
    assert not bundles(store)
    assert len(on_disk(store)) == 60


def _refuse(_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")
