"""Tells when the file may have changed, however it is saved.

Written in place, replaced by rename, a link switched anywhere on the way to it, deleted and made
again, its directory too: what is watched are the directories of the file and of every link that
leads to it, looked up anew after each event.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

TICK_MS: Final = 1_000
"""Besides events the file is looked at this often: some file systems send none."""

_DEBOUNCE_MS: Final = 400  # an editor's writing, renaming and tidying is one save
_QUIET_MS: Final = 50
_MOST_LINKS: Final = 40  # as the kernel

Identity = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class _Watched:
    """What a path means now. ``entries``: the links on the way and the file itself."""

    entries: frozenset[str]
    directories: frozenset[tuple[str, Identity]]


async def changes(path: Path, *, tick_ms: int = TICK_MS) -> AsyncGenerator[None, None]:
    """Yield at once when the watch stands, then whenever the file may have changed.

    The first time is for what changed between an earlier reading and now. Changes that come while
    the caller is busy are not lost: the next step yields. Close it (``contextlib.aclosing``) or
    cancel the task that iterates; the watching thread ends within a fraction of a second.
    """
    last: Identity = ()
    while True:
        watched = _watched(path)
        async with contextlib.aclosing(_batches(watched, tick_ms)) as batches:
            async for touched in batches:
                now = _identity(path)
                if now != last or touched & watched.entries:
                    last = now
                    yield
                if _watched(path) != watched:
                    break


async def _batches(watched: _Watched, tick_ms: int) -> AsyncGenerator[frozenset[str], None]:
    """The paths touched, batch by batch; an empty batch first, and another at every tick."""
    events = awatch(
        *(directory for directory, _ in watched.directories),
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_QUIET_MS,
        rust_timeout=tick_ms,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)  # awatch opens its watches before it first waits: now they stand
    try:
        yield frozenset()
        while True:
            batch: set[tuple[Change, str]] | None = await _batch(waiting)
            if batch is None:
                await asyncio.sleep(tick_ms / 1000)
                break
            waiting = asyncio.ensure_future(anext(events))
            yield frozenset(touched for _, touched in batch)
        yield frozenset()
    finally:
        waiting.cancel()
        await asyncio.wait([waiting])
        await events.aclose()


async def _batch(
    waiting: asyncio.Future[set[tuple[Change, str]]],
) -> set[tuple[Change, str]] | None:
    """The next batch; None if it cannot be watched (gone meanwhile, or no watches left)."""
    try:
        return await asyncio.shield(waiting)
    except (OSError, RuntimeError, StopAsyncIteration):
        return None


def _watched(path: Path) -> _Watched:
    entries = _entries(path)
    existing = {_existing(entry.parent) for entry in entries}
    return _Watched(
        frozenset(str(entry) for entry in entries),
        frozenset((str(directory), _place(directory)) for directory in existing),
    )


def _entries(path: Path) -> list[Path]:
    """Every entry of a directory that decides what the path means: links on the way, the file."""
    entries: list[Path] = []
    here = Path("/")
    pending = list(path.absolute().parts[1:])
    while pending:
        name = pending.pop(0)
        entry = here.parent if name == ".." else here / name
        try:
            target = entry.readlink()
        except OSError:
            here = entry
            continue
        entries.append(entry)
        if len(entries) > _MOST_LINKS:
            break
        pending = [*(part for part in target.parts if part != "/"), *pending]
        here = Path("/") if target.is_absolute() else here
    return [*entries, here]


def _existing(directory: Path) -> Path:
    """The directory, or the nearest above it that is there."""
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return directory


def _identity(path: Path) -> Identity:
    """Differs when the file was replaced or written to; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - pathlib's raises more for odd names
    except (OSError, ValueError):
        return None
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _place(directory: Path) -> Identity:
    """Differs when a directory was made anew under its old name."""
    identity = _identity(directory)
    return identity[:2] if identity else None
