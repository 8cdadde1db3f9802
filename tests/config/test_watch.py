"""Watching: however the file is saved, the reader is told. Real files, real events."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from relay.config.watch import changes

NEVER_MS = 3_600_000  # the tick shall not help: these are tests of events
LIMIT_S = 10
QUIET_S = 1


@contextlib.asynccontextmanager
async def _watching(
    path: Path, tick_ms: int = NEVER_MS
) -> AsyncIterator[AsyncGenerator[None, None]]:
    async with contextlib.aclosing(changes(path, tick_ms=tick_ms)) as stream:
        await asyncio.wait_for(anext(stream), LIMIT_S)  # the watch stands
        yield stream


async def _told(stream: AsyncGenerator[None, None]) -> None:
    await asyncio.wait_for(anext(stream), LIMIT_S)


async def _told_until(stream: AsyncGenerator[None, None], holds: Callable[[], bool]) -> None:
    """A save may be several events; what counts is to be told after the last."""
    await _told(stream)
    while not holds():
        await _told(stream)


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _replace(path: Path, text: str) -> None:
    new = path.with_name(".relay.yaml.swp")
    new.write_text(text)
    new.replace(path)


def _backup_and_write(path: Path, text: str) -> None:
    path.rename(path.with_name("relay.yaml~"))
    path.write_text(text)


def _delete_and_write(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def _same_size_and_time(path: Path, text: str) -> None:
    status = path.stat()
    path.write_text(text[: status.st_size].ljust(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


SAVES = [_write, _replace, _backup_and_write, _delete_and_write, _same_size_and_time]


@pytest.mark.parametrize("save", SAVES)
async def test_each_way_of_saving(save: Callable[[Path, str], None], tmp_path: Path) -> None:
    """Each editor's way of saving is told, every time, not only the first."""
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    async with _watching(path) as stream:
        for text in ("again", "third"):
            save(path, text)
            await _told_until(stream, lambda text=text: path.read_text() == text)  # type: ignore[misc]


@pytest.mark.parametrize("save", SAVES)
async def test_saving_behind_a_link(save: Callable[[Path, str], None], tmp_path: Path) -> None:
    """A link to a file elsewhere: saving over there is told."""
    real = tmp_path / "there" / "real.yaml"
    real.parent.mkdir()
    real.write_text("first")
    path = tmp_path / "relay.yaml"
    path.symlink_to(Path("there/real.yaml"))
    async with _watching(path) as stream:
        save(real, "again")
        await _told(stream)


async def test_switching_a_link(tmp_path: Path) -> None:
    """A link switched to another file is told, and from then on that file's changes are."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "relay.yaml").write_text(name)
    path = tmp_path / "etc" / "relay.yaml"
    path.parent.mkdir()
    path.symlink_to(tmp_path / "one" / "relay.yaml")
    async with _watching(path) as stream:
        new = path.with_name("new")
        new.symlink_to(tmp_path / "two" / "relay.yaml")
        new.replace(path)
        await _told_until(stream, lambda: path.read_text() == "two")
        (tmp_path / "two" / "relay.yaml").write_text("two, changed")
        await _told(stream)


async def test_switching_a_directory_of_kubernetes(tmp_path: Path) -> None:
    """A mounted ConfigMap: the file links into ``..data``, which links to a dated directory."""
    path = tmp_path / "relay.yaml"
    path.symlink_to("..data/relay.yaml")
    data = tmp_path / "..data"
    for turn, text in enumerate(("first", "again", "third")):
        dated = tmp_path / f"..2026_{turn}"
        dated.mkdir()
        (dated / "relay.yaml").write_text(text)
        if turn == 0:
            data.symlink_to(dated.name)
    async with _watching(path) as stream:
        for turn, text in ((1, "again"), (2, "third")):
            new = tmp_path / "..data_tmp"
            new.symlink_to(f"..2026_{turn}")
            new.replace(data)
            shutil.rmtree(tmp_path / f"..2026_{turn - 1}")
            await _told_until(stream, lambda text=text: path.read_text() == text)  # type: ignore[misc]


async def test_a_link_somewhere_above(tmp_path: Path) -> None:
    """A link among the directories above is part of the way too."""
    for name in ("one", "two"):
        (tmp_path / name / "deep" / "er").mkdir(parents=True)
        (tmp_path / name / "deep" / "er" / "relay.yaml").write_text(name)
    current = tmp_path / "links" / "current"
    current.parent.mkdir()
    current.symlink_to(tmp_path / "one")
    async with _watching(current / "deep" / "er" / "relay.yaml") as stream:
        new = current.with_name("new")
        new.symlink_to(tmp_path / "two")
        new.replace(current)
        await _told(stream)


async def test_a_directory_made_again(tmp_path: Path) -> None:
    """The file's directory deleted and made again is watched again."""
    path = tmp_path / "etc" / "relay.yaml"
    path.parent.mkdir()
    path.write_text("first")
    async with _watching(path) as stream:
        shutil.rmtree(path.parent)
        await _told_until(stream, lambda: not path.exists())
        path.parent.mkdir()
        path.write_text("again")
        await _told_until(stream, path.exists)
        path.write_text("third")
        await _told(stream)


async def test_a_directory_changed_for_another(tmp_path: Path) -> None:
    """The file's directory moved away and another put in its place is told of and watched."""
    path = tmp_path / "etc" / "relay.yaml"
    for name in ("etc", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "relay.yaml").write_text(name)
    async with _watching(path) as stream:
        path.parent.rename(tmp_path / "old")
        (tmp_path / "new").rename(path.parent)
        await _told_until(stream, lambda: path.read_text() == "new")
        path.write_text("third")
        await _told(stream)


async def test_two_saves_within_one_tick_of_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system whose clock is so coarse that nothing seems to differ hides no save."""
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    monkeypatch.setattr("relay.config.watch._identity", lambda path: (1, 2, 3))
    async with _watching(path) as stream:
        path.write_text("again")
        await _told(stream)


async def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    """A file (and its directory) that comes later is told of."""
    path = tmp_path / "etc" / "relay.yaml"
    async with _watching(path) as stream:
        path.parent.mkdir()
        path.write_text("first")
        await _told_until(stream, path.exists)


async def test_neighbours_are_not_told_of(tmp_path: Path) -> None:
    """What happens to other files of the directory is nobody's business."""
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    async with _watching(path) as stream:
        (tmp_path / "other.yaml").write_text("x")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), QUIET_S)


async def test_a_burst_is_one_save(tmp_path: Path) -> None:
    """Many writes in a row are told of a few times at most."""
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    told = 0
    async with _watching(path) as stream:
        for turn in range(50):
            path.write_text(str(turn))
        with contextlib.suppress(TimeoutError):
            while told < 10:
                await asyncio.wait_for(anext(stream), QUIET_S)
                told += 1
    assert 1 <= told <= 3


async def test_changes_while_the_reader_is_busy(tmp_path: Path) -> None:
    """What is saved between two steps is told at the second."""
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    async with _watching(path) as stream:
        path.write_text("again")
        await _told(stream)
        await asyncio.to_thread(_replace, path, "third")
        await _told(stream)


async def test_the_tick_finds_what_no_event_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where watching is impossible (no watches left), looking every tick still finds changes."""

    async def broken(*_: object, **__: object) -> AsyncGenerator[None, None]:
        raise OSError(28, "No space left on device")
        yield  # type: ignore[unreachable]  # makes it a generator

    monkeypatch.setattr("relay.config.watch.awatch", broken)
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    async with _watching(path, tick_ms=20) as stream:
        path.write_text("again, longer")
        await _told(stream)


async def test_cancelling_ends_the_thread(tmp_path: Path) -> None:
    """When its task is cancelled, the watch ends: no task and no waiting thread stays behind."""
    path = tmp_path / "relay.yaml"
    path.write_text("first")
    standing = asyncio.Event()

    async def watch() -> None:
        async with contextlib.aclosing(changes(path, tick_ms=NEVER_MS)) as stream:
            async for _ in stream:
                standing.set()

    before = asyncio.all_tasks()
    task = asyncio.create_task(watch())
    await asyncio.wait_for(standing.wait(), LIMIT_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, LIMIT_S)
    assert asyncio.all_tasks() == before
    assert all(not thread.name.startswith("Rust") for thread in threading.enumerate())
