"""The spool on disk: the contract, and what a death of the process or a power cut leaves of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.store import Spool, Spooled
from relay.sqlite.errors import StorageUnusableError
from relay.sqlite.spool import FILE, open_spool
from tests.delivery.contract_spool import Reopen, SpoolContract

SIZE = 10_000


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return open_spool(tmp_path, SIZE)


@pytest.fixture
def reopen(tmp_path: Path) -> Reopen:
    return lambda: open_spool(tmp_path, SIZE)


class TestSpool(SpoolContract):
    """The contract."""


_KILLED = """
import os, signal, sys
from pathlib import Path
from relay.sqlite.spool import open_spool
spool = open_spool(Path(sys.argv[1]))
for number in range(1000):
    spool.put("whatsapp/sales", b"%d" % number)
    if number == 600:
        spool.take_away(100)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_everything_it_put(tmp_path: Path) -> None:
    """``kill -9`` right after a put: every payload is there, without any flush."""
    done = subprocess.run([sys.executable, "-c", _KILLED, tmp_path], check=False)  # noqa: S603
    assert done.returncode == -signal.SIGKILL
    left = open_spool(tmp_path).waiting(10_000)
    assert [s.payload for s in left] == [b"%d" % number for number in range(100, 1000)]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """There is text of messages in it."""
    open_spool(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_spool_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A sentence for the administrator, with the directory."""
    with pytest.raises(StorageUnusableError, match="nowhere"):
        open_spool(tmp_path / "nowhere")


def test_its_room_is_reserved(tmp_path: Path) -> None:
    """A disk that fills up later cannot take the ground from under a mapped page."""
    open_spool(tmp_path)
    found = (tmp_path / FILE).stat()
    assert found.st_blocks * 512 >= found.st_size > 0


@given(sizes=st.lists(st.integers(0, 900), min_size=30, max_size=60), behind=st.integers(1, 4))
def test_a_rush_in_which_it_never_empties_finds_room(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], behind: int
) -> None:
    """However much has gone through it: what waits is there, in order, after a death as well."""
    home = tmp_path_factory.mktemp("spool")
    spool, said = open_spool(home, SIZE), list[Spooled]()
    for number, size in enumerate(sizes):
        spooled = Spooled("a", b"%d " % number + bytes(size))
        assert spool.put(spooled.source, spooled.payload)
        said.append(spooled)
        if len(said) > behind:
            spool.take_away(1)
            del said[0]
        assert list(spool.waiting(99)) == said
    assert list(open_spool(home, SIZE).waiting(99)) == said


@given(
    payloads=st.lists(st.binary(max_size=300), min_size=1, max_size=20),
    place=st.integers(0, 9_999),
    damage=st.binary(min_size=1, max_size=50),
)
def test_damage_never_invents_a_payload(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], place: int, damage: bytes
) -> None:
    """Whatever a power cut made of the file: what is found was put, in order, and it works on."""
    home = tmp_path_factory.mktemp("spool")
    spool = open_spool(home, SIZE)
    said = [Spooled("a", payload) for payload in payloads if spool.put("a", payload)]
    data = bytearray((home / FILE).read_bytes())
    data[place : place + len(damage)] = damage
    (home / FILE).write_bytes(data[:SIZE])
    again = open_spool(home, SIZE)
    found = list(again.waiting(99))
    places = [index for index, spooled in enumerate(said) if spooled in found]
    assert all(spooled in said for spooled in found)
    assert len(found) <= len(places)
    assert again.put("a", b"later")
    assert again.waiting(99)[-1] == Spooled("a", b"later")
