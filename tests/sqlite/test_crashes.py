"""Crashes of real files and real processes: what was acknowledged is there."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.delivery.ledger import Ledger
from relay.sqlite import SqliteStore, open_store
from tests.delivery.contract_transactions import appending, payloads
from tests.sqlite.images import ACCOUNT, image

_WRITER = """
import asyncio, pathlib, sys
from relay.sqlite import open_store

async def write(store, start):
    for number in range(start, 10**9, 8):
        payload = b"%d" % number
        await store.transact(lambda ledger: ledger.append("amocrm", payload, "t", 1))
        print(number, flush=True)

async def main():
    async with open_store(pathlib.Path(sys.argv[1]), account=sys.argv[2]) as store:
        first = int(sys.argv[3])
        await asyncio.gather(*(write(store, first + lane) for lane in range(8)))

asyncio.run(main())
"""


def write_and_die(directory: Path, first: int, lines: int) -> set[int]:
    """A process writes numbers from ``first`` on and is killed; those it said were written."""
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _WRITER, str(directory), ACCOUNT, str(first)],
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        acknowledged = {int(writer.stdout.readline()) for _ in range(lines)}
        writer.kill()
        rest = writer.stdout.read().splitlines(keepends=True)
        return acknowledged.union(int(line) for line in rest if line.endswith(b"\n"))


async def test_a_killed_process_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """kill -9 in the middle of commits, several times on one directory: all that was told is
    there, once, and in the order of each writer."""
    acknowledged: set[int] = set()
    for life in range(5):
        first = life * 10**6
        acknowledged |= write_and_die(tmp_path, first, lines=20 + 37 * life)
        async with open_store(tmp_path, account=ACCOUNT) as store:
            assert store.unclean_stop
            kept = [int(payload) for payload in await payloads(store)]
        assert acknowledged <= set(kept)
        assert len(kept) == len(set(kept))
        for lane in range(8):
            numbers = [n for n in kept if n >= first and (n - first) % 8 == lane]
            assert numbers == list(range(first + lane, first + lane + 8 * len(numbers), 8))


def appending_twice(payload: bytes) -> Callable[[Ledger], None]:
    """A work that writes in two places, which must agree ever after."""

    def work(ledger: Ledger) -> None:
        ledger.append("amocrm", payload, "t", 1)
        ledger.set_fact("last", payload.decode())

    return work


@pytest.mark.parametrize("garble", [False, True], ids=["cut", "garbled"])
async def test_a_torn_log_opens_with_what_was_before(
    store: SqliteStore, tmp_path: Path, garble: bool
) -> None:
    """A log whose tail is missing or garbage gives a prefix of the transactions, whole ones."""
    wanted = [b"%d" % number for number in range(30)]

    for payload in wanted:
        await store.transact(appending_twice(payload))
    whole = image(tmp_path / "store", tmp_path / "image")
    size = (whole / "relay.db-wal").stat().st_size
    chance = random.Random(7)
    lengths: dict[int, int] = {}
    for place in (*chance.sample(range(size), 15), 0, size - 1):
        torn = tmp_path / f"torn-{place}"
        shutil.copytree(whole, torn)
        with (torn / "relay.db-wal").open("r+b") as log:
            log.seek(place)
            rest = chance.randbytes(size - place) if garble else b""
            log.write(rest)
            log.truncate()
        async with open_store(torn, account=ACCOUNT) as again:
            kept = await payloads(again)
            last = await again.query(lambda ledger: ledger.fact("last"))
            await again.transact(appending(b"goes on"))
        assert kept == wanted[: len(kept)]
        assert last == (kept[-1].decode() if kept else None)
        lengths[place] = len(kept)
    by_place = [lengths[place] for place in sorted(lengths)]
    assert by_place == sorted(by_place)
    assert by_place[0] == 0
    assert by_place[-1] >= 29


async def test_an_image_taken_at_any_moment_opens(store: SqliteStore, tmp_path: Path) -> None:
    """Files copied while works are being committed hold everything acknowledged before."""
    for number in range(10):
        calls = [b"%d.%d" % (number, one) for one in range(20)]
        for payload in calls:
            await store.transact(appending(payload))
        expected = await payloads(store)
        copy = image(tmp_path / "store", tmp_path / f"image-{number}")
        async with open_store(copy, account=ACCOUNT) as again:
            assert await payloads(again) == expected
