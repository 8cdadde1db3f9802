"""The store of media, on a real disk."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from relay.delivery.ports import MediaGoneError, MediaTooLargeError
from relay.delivery.store import StoreRefusedError
from relay.domain.outbox import Destination
from relay.media.names import State
from relay.media.store import FileStore
from tests.media.kept import JPEG, LIMIT, keep, on_disk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(tmp_path / "media", lambda: LIMIT, reserve=0)
    yield made
    made.close()


def arriving(store: FileStore) -> list[str]:
    return sorted(path.name for path in (store.files.parent / "incoming").iterdir())


async def dropped(store: FileStore) -> None:
    """Back once nothing is on its way any more: it is dropped on the store's own threads."""
    async with asyncio.timeout(60):
        while arriving(store):
            await store.on_thread(os.getpid)


@asynccontextmanager
async def half_a_file(store: FileStore) -> AsyncIterator[None]:
    async with store.receive() as file:
        await file.write(bytes(600_000))
        yield


async def test_what_was_kept_is_found_byte_for_byte(store: FileStore) -> None:
    """Small or in many pieces, with its size and its kind."""
    for data in (JPEG, JPEG + bytes(range(256)) * 8000):
        kept = await keep(store, data)
        assert store.path(kept.name).read_bytes() == data
        assert (kept.size, kept.mime, kept.file_name) == (len(data), "image/jpeg", "photo.jpg")


async def test_the_same_file_is_kept_once(store: FileStore) -> None:
    """Content and name make the link; another name is another link."""
    first, second, other = [await keep(store, name=n) for n in ("a.jpg", "a.jpg", "b.jpg")]
    assert first == second
    assert first.name != other.name
    await store.settle()
    assert len(on_disk(store)) == 2


async def test_a_link_cannot_be_guessed_from_the_file(tmp_path: Path) -> None:
    """Two relays with the same file have different links for it; one relay keeps its own."""
    names = []
    for place in ("one", "two", "one"):
        store = FileStore(tmp_path / place, lambda: LIMIT, reserve=0)
        names.append((await keep(store)).name)
        store.close()
    assert names[0] == names[2] != names[1]
    assert (tmp_path / "one" / "key").stat().st_mode & 0o777 == 0o600


async def test_nothing_is_seen_before_it_is_whole(store: FileStore) -> None:
    """While it comes, and if it never ends, there is no file."""
    async with half_a_file(store):
        assert not on_disk(store)
        assert arriving(store)
    await dropped(store)
    assert not on_disk(store)


async def test_a_cancelled_download_leaves_nothing(store: FileStore) -> None:
    """However busy a thread is with it in that moment."""

    async def download() -> None:
        async with store.receive() as file:
            while True:
                await file.write(bytes(1000))
                await asyncio.sleep(0)

    task = asyncio.create_task(download())
    for _ in range(2000):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await dropped(store)


async def test_a_start_sweeps_what_a_kill_left(tmp_path: Path) -> None:
    """Half files of an earlier life go; kept ones stay."""
    store = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    kept = await keep(store)
    (tmp_path / "incoming" / "half").write_bytes(b"half")
    store.close()
    again = FileStore(tmp_path, lambda: LIMIT, reserve=0)
    assert not arriving(again)
    assert again.path(kept.name).read_bytes() == JPEG
    again.close()


async def test_more_than_the_limit_is_refused_while_it_comes(store: FileStore) -> None:
    """Not a byte beyond it gets to the disk."""
    await keep(store, bytes(LIMIT))
    with pytest.raises(MediaTooLargeError):
        await keep(store, bytes(LIMIT + 1))
    await dropped(store)


async def test_a_nearly_full_disk_is_left_to_the_journal(tmp_path: Path) -> None:
    """The store refuses long before the disk does, and says why."""
    store = FileStore(tmp_path, lambda: LIMIT, reserve=2**62)
    with pytest.raises(StoreRefusedError, match="nearly full"):
        await keep(store)
    assert not on_disk(store)
    store.close()


async def test_a_disk_that_fills_in_the_middle_refuses_the_file(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused as a whole, and nothing of it stays."""
    real, room = os.write, 300_000

    def write(fd: int, data: bytes) -> int:
        nonlocal room
        if len(data) > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        room -= len(data)
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreRefusedError):
        await keep(store, JPEG + bytes(1_000_000))
    await dropped(store)
    assert not on_disk(store)


async def test_a_name_that_is_none_finds_nothing(store: FileStore) -> None:
    """Paths, other endings, tokens of nobody: all the same."""
    kept = await keep(store)
    token = kept.name.removesuffix(".jpg")
    for name in ("", ".", "..", "../key", token, f"{token}.png", kept.name.upper(), "a" * 32):
        assert store.find(name) is None
        with pytest.raises(MediaGoneError):
            store.path(name)


async def test_what_amocrm_fetched_is_marked_once(store: FileStore) -> None:
    """The link stays what it is, and so does the path: somebody may be about to read it."""
    kept = await keep(store)
    path = store.path(kept.name)
    for _ in range(2):
        found = store.find(kept.name)
        assert found is not None
        store.note_fetched(found)
    found = store.find(kept.name)
    assert found is not None
    assert found.state is State.FETCHED
    assert found.path == path
    assert path.read_bytes() == JPEG


async def test_a_file_sent_again_is_as_wanted_as_a_new_one(store: FileStore) -> None:
    """Its age begins anew, and amoCRM is to fetch it again; our own use does not undo that."""
    kept = await keep(store, towards=Destination.WHATSAPP)
    states = [State.OWN]
    os.utime(store.path(kept.name), (1, 1))
    await keep(store)
    assert store.path(kept.name).stat().st_mtime > 1
    for towards in (Destination.AMOCRM, Destination.WHATSAPP):
        await keep(store, towards=towards)
        found = store.find(kept.name)
        assert found is not None
        states.append(found.state)
    assert states == [State.OWN, State.NEW, State.NEW]


async def test_only_large_files_wait_for_the_throttle(tmp_path: Path) -> None:
    """All bytes of a large one do, before they are written; a small one passes by."""
    asked, may_pass = list[int](), asyncio.Event()

    async def throttle(size: int) -> None:
        asked.append(size)
        await may_pass.wait()

    store = FileStore(tmp_path, lambda: LIMIT, reserve=0, throttle=throttle)
    large = asyncio.create_task(keep(store, JPEG + bytes(1_000_000)))
    await asyncio.wait_for(keep(store, bytes(200_000)), 60)
    assert asked == [300_000]
    assert arriving(store) == []
    may_pass.set()
    await large
    assert sum(asked) > 1_000_000 - 256 * 1024  # less than a piece is left at its end
    store.close()


async def test_a_file_given_up_in_the_line_leaves_nothing(tmp_path: Path) -> None:
    """Neither on its way nor kept."""
    waiting = asyncio.Event()

    async def throttle(_: int) -> None:
        waiting.set()
        await asyncio.Event().wait()

    store = FileStore(tmp_path, lambda: LIMIT, reserve=0, throttle=throttle)
    large = asyncio.create_task(keep(store, JPEG + bytes(1_000_000)))
    await waiting.wait()
    large.cancel()
    await asyncio.wait([large])
    await dropped(store)
    assert on_disk(store) == []
    store.close()
