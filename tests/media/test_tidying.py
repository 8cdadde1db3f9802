"""What is forgotten first, and what is kept as long as there is room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.domain.retry import DAY, MINUTE
from relay.media.store import FileStore
from relay.media.tidying import Keeping, MediaTidying, Tidied
from tests.clock import HandClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(tmp_path, lambda: 1_000_000, reserve=0)
    yield made
    made.close()


CLOCK = HandClock()


async def keep(store: FileStore, name: str, age_ms: int, *, fetched: bool = False) -> str:
    """A file of a hundred bytes that came so long ago."""
    async with store.receive() as file:
        await file.write(name.encode().ljust(100, b"\1"))
        media = Media(MediaKind.DOCUMENT, None, name=name)
        kept = (await file.keep(media, towards=Destination.AMOCRM)).name
    found = store.find(kept)
    assert found is not None
    at_s = (CLOCK.now_ms() - age_ms) / 1000
    os.utime(found.path, (at_s, at_s))
    if fetched:
        store.note_fetched(found)
    return kept


def left(store: FileStore) -> list[str]:
    return sorted(path.name.rpartition("~")[2] for path in store.files.glob("*/*"))


async def tidy(store: FileStore, keep_ms: int = 180 * DAY, quota: int = 10_000) -> Tidied:
    return await MediaTidying(store, CLOCK, lambda: Keeping(keep_ms, quota)).tidy()


async def test_files_are_kept_for_their_time(store: FileStore) -> None:
    """Then they go, fetched or not."""
    await keep(store, "old", 181 * DAY)
    await keep(store, "old and fetched", 181 * DAY, fetched=True)
    await keep(store, "young", 179 * DAY)
    assert await tidy(store) == Tidied(old=2, left_bytes=100)
    assert left(store) == ["young"]


async def test_beyond_the_quota_the_oldest_fetched_go_first(store: FileStore) -> None:
    """What amoCRM never fetched goes last, however old it is."""
    await keep(store, "wanted", 100 * DAY)
    for days in (10, 20, 30):
        await keep(store, f"fetched {days}", days * DAY, fetched=True)
    assert await tidy(store, quota=250) == Tidied(for_room=2, left_bytes=200)
    assert left(store) == ["fetched 10", "wanted"]


async def test_even_what_was_never_fetched_goes_when_there_is_nothing_else(
    store: FileStore,
) -> None:
    """And that is told."""
    for days in (10, 20, 30):
        await keep(store, f"wanted {days}", days * DAY)
    assert await tidy(store, quota=150) == Tidied(for_room=2, never_fetched=2, left_bytes=100)
    assert left(store) == ["wanted 10"]


async def test_what_a_message_may_still_be_on_its_way_with_is_not_touched(
    store: FileStore,
) -> None:
    """The last two days stay, whatever the quota says."""
    await keep(store, "just come", DAY)
    await keep(store, "just fetched", DAY, fetched=True)
    assert await tidy(store, quota=1) == Tidied(left_bytes=200)


async def test_a_file_that_came_again_is_young_again(store: FileStore) -> None:
    """Its age counts from the last time it was sent."""
    await keep(store, "again", 200 * DAY, fetched=True)
    async with store.receive() as file:
        await file.write(b"again".ljust(100, b"\1"))
        media = Media(MediaKind.DOCUMENT, None, name="again")
        await file.keep(media, towards=Destination.AMOCRM)
    assert (await tidy(store)).old == 0
    assert left(store) == ["again"]


async def test_a_stranger_in_the_folder_is_left_alone(store: FileStore) -> None:
    """What is not ours is neither counted nor removed."""
    folder = store.files / "a"
    (folder / "notes.txt").write_text("mine")
    assert await tidy(store, keep_ms=1, quota=1) == Tidied()
    assert left(store) == ["notes.txt"]


async def test_what_was_forgotten_stays_forgotten(store: FileStore, tmp_path: Path) -> None:
    """Even if the relay is killed later: a small file is not made again by the next start."""
    await keep(store, "young", DAY)
    await tidy(store)
    for path in store.files.glob("*/*"):
        path.unlink()
    again = FileStore(tmp_path, lambda: 1_000_000, reserve=0)  # the first one never closed
    assert left(again) == []
    again.close()


async def test_between_it_settles_what_came(store: FileStore, tmp_path: Path) -> None:
    """Within a minute small files are on the disk by themselves."""
    clock = HandClock()
    tidying = MediaTidying(store, clock, lambda: Keeping(180 * DAY, 10_000))
    task: asyncio.Task[None] | None = None
    for _ in range(3):
        await keep(store, "young", DAY)
        assert list((tmp_path / "bundles").iterdir())
        task = task or asyncio.create_task(tidying.run())  # its start settles what is there
        async with asyncio.timeout(30):
            while list((tmp_path / "bundles").iterdir()):
                await clock.advance_ms(MINUTE)
                await store.on_thread(int)
    assert task is not None
    task.cancel()
