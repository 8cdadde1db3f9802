"""What is heard while no relay has the session."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.store import StoreRefusedError
from relay.whatsapp.linked_device.early import Early, hand_over_early


class Kept:
    """A hand-over that keeps in memory, and refuses the payload ``refused``."""

    def __init__(self, refused: bytes | None = None) -> None:
        self.payloads: list[bytes] = []
        self.refused = refused

    async def __call__(self, payload: bytes) -> None:
        if payload == self.refused:
            raise StoreRefusedError("full")
        self.payloads.append(payload)

    def from_thread(self, payload: bytes) -> None:
        raise AssertionError("it is called on the loop")


def heard(session: Path, *payloads: bytes) -> Early:
    early = Early(session)
    for payload in payloads:
        early.from_thread(payload)
    return early


def left(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@given(st.lists(st.binary(max_size=300), max_size=20))
async def test_everything_comes_out_in_order(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]
) -> None:
    """Whatever was heard is handed over once, byte by byte, in the order in which it came."""
    session = tmp_path_factory.mktemp("early") / "sales.db"
    heard(session, *payloads).keep()
    kept = Kept()
    assert await hand_over_early(session, kept) == len(payloads)
    assert kept.payloads == payloads
    assert await hand_over_early(session, kept) == 0


async def test_several_are_taken_over_in_turn(tmp_path: Path) -> None:
    """A second linking before a relay has run does not overwrite what the first one heard."""
    session = tmp_path / "sales.db"
    heard(session, b"one").keep()
    heard(session, b"two").keep()
    heard(tmp_path / "sales2.db", b"of another channel").keep()
    kept = Kept()
    await hand_over_early(session, kept)
    assert kept.payloads == [b"one", b"two"]


async def test_what_is_being_heard_is_left_alone(tmp_path: Path) -> None:
    """Only what was kept is handed over; what was discarded never is."""
    session = tmp_path / "sales.db"
    early = heard(session, b"one")
    kept = Kept()
    assert await hand_over_early(session, kept) == 0
    early.discard()
    assert left(tmp_path) == []


async def test_what_the_disk_refuses_is_kept(tmp_path: Path) -> None:
    """A refusal in the middle forgets nothing: the file is handed over again."""
    session = tmp_path / "sales.db"
    heard(session, b"one", b"two").keep()
    with pytest.raises(StoreRefusedError):
        await hand_over_early(session, Kept(refused=b"two"))
    kept = Kept()
    await hand_over_early(session, kept)
    assert kept.payloads == [b"one", b"two"]


async def test_a_torn_last_event_is_left_out(tmp_path: Path) -> None:
    """What was cut off in the middle of writing was not confirmed to WhatsApp either."""
    session = tmp_path / "sales.db"
    heard(session, b"whole", b"torn").keep()
    (path,) = left(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    kept = Kept()
    await hand_over_early(session, kept)
    assert kept.payloads == [b"whole"]


def test_it_is_private(tmp_path: Path) -> None:
    """Messages are in it: it is for its owner alone."""
    heard(tmp_path / "sales.db", b"one").keep()
    (path,) = left(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_remnant_of_a_killed_linking_is_dropped(tmp_path: Path) -> None:
    """What a killed process had heard of a device that never became ours is not mixed in."""
    session = tmp_path / "sales.db"
    heard(session, b"of the killed one")
    heard(session, b"one").keep()
    (path,) = left(tmp_path)
    assert b"killed" not in path.read_bytes()
