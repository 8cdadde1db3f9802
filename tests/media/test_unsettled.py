"""Bundles of many files are settled by a process beside, and whatever happens meanwhile counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.delivery.media import KeptMedia
from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.media import unsettled
from relay.media.beside import MANY, written_beside
from relay.media.names import State
from relay.media.small import Bundled, Small
from relay.media.store import FileStore
from tests.media.kept import JPEG, LIMIT, keep, on_disk

Write = Callable[[Path, Path, Sequence[Bundled]], Sequence[Bundled]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(tmp_path / "media", lambda: LIMIT, reserve=0)
    yield made
    made.close()


async def many(store: FileStore) -> list[KeptMedia]:
    return [await keep(store, name=f"{number}.jpg") for number in range(MANY)]


def instead(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    monkeypatch.setattr(unsettled, "written_beside", write)


def mark(store: FileStore, kept: KeptMedia) -> None:
    found = store.find_bundled(kept.name) or store.find(kept.name)
    assert found is not None
    store.note_fetched(found)


def state_of(store: FileStore, kept: KeptMedia) -> State:
    found = store.find(kept.name)
    assert found is not None
    assert found.path.read_bytes() == JPEG
    return found.state


async def test_a_process_beside_writes_them(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many files this one writes none; then the bundle goes, and all are found."""
    kept = await many(store)
    mark(store, kept[0])
    monkeypatch.setattr("relay.media.unsettled.write_new", None)  # it would fail here
    await store.settle()
    assert not list((store.files.parent / "bundles").iterdir())
    assert [state_of(store, one) for one in kept] == [State.FETCHED, *[State.NEW] * (MANY - 1)]


async def test_what_is_fetched_meanwhile_is_marked(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it has a file of its own, and right after it got one."""
    kept = await many(store)

    def write(bundle: Path, files: Path, ones: Sequence[Bundled]) -> Sequence[Bundled]:
        shown = written_beside(bundle, files, ones)
        mark(store, kept[3])
        return shown

    instead(monkeypatch, write)
    await store.settle()
    assert state_of(store, kept[3]) is State.FETCHED
    assert state_of(store, kept[4]) is State.NEW


async def test_what_is_wanted_meanwhile_is_written_once(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks first has it made; its mark is that of who had it last."""
    kept = await many(store)

    def write(bundle: Path, files: Path, ones: Sequence[Bundled]) -> Sequence[Bundled]:
        assert store.path(kept[5].name).read_bytes() == JPEG
        mark(store, kept[5])
        return written_beside(bundle, files, ones)

    instead(monkeypatch, write)
    await store.settle()
    assert state_of(store, kept[5]) is State.FETCHED
    assert len(on_disk(store)) == MANY


async def test_what_comes_again_meanwhile_stays_in_its_new_bundle(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as wanted as what came last, though it has its file by now."""
    kept = await many(store)
    mark(store, kept[7])
    again = Small(
        JPEG,
        hashlib.sha256(JPEG).digest(),
        Media(MediaKind.IMAGE, None, name="7.jpg"),
        Destination.AMOCRM,
    )

    def write(bundle: Path, files: Path, ones: Sequence[Bundled]) -> Sequence[Bundled]:
        shown = written_beside(bundle, files, ones)
        store._shelf.show_together([again])
        return shown

    instead(monkeypatch, write)
    await store.settle()
    assert again.kept == kept[7]
    assert len(list((store.files.parent / "bundles").iterdir())) == 1
    assert state_of(store, kept[7]) is State.NEW


async def test_what_is_removed_meanwhile_stays_removed(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if amoCRM fetches it out of the bundle in that very moment."""
    kept = await many(store)

    def write(bundle: Path, files: Path, ones: Sequence[Bundled]) -> Sequence[Bundled]:
        shown = written_beside(bundle, files, ones)
        mark(store, kept[2])
        (path,) = files.glob(f"?/{kept[2].name.partition('.')[0]}~*")
        assert store.remove(path)
        return shown

    instead(monkeypatch, write)
    await store.settle()
    assert store.find(kept[2].name) is None
    assert len(on_disk(store)) == MANY - 1
    assert not list((store.files.parent / "bundles").iterdir())


async def test_without_that_process_it_is_done_here(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that starts no process, or a disk that makes no nameless files, costs time only."""
    kept = await many(store)

    def write(*_: object) -> Sequence[Bundled]:
        raise OSError("no processes here")

    instead(monkeypatch, write)
    with capture_logs() as logs:
        await store.settle()
    assert [(line["event"], line["error"]) for line in logs] == [
        ("media_not_settled_beside", "no processes here")
    ]
    assert {state_of(store, one) for one in kept} == {State.NEW}
    assert not list((store.files.parent / "bundles").iterdir())
