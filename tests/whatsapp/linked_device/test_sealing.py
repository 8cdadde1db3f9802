"""How files are sealed and opened, piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.whatsapp.linked_device.sealing import (
    DamagedError,
    Opener,
    measure,
    sealed_pieces,
)
from tests.whatsapp_server.media import Sealed as Reference

KEY = bytes(range(32))


def opened(opener: Opener, pieces: Sequence[bytes]) -> bytes:
    return b"".join([*map(opener.update, pieces), opener.finish()])


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


@given(data=st.binary(max_size=2000), sizes=st.lists(st.integers(0, 400), max_size=12))
def test_a_file_opens_however_it_arrives_in_pieces(data: bytes, sizes: list[int]) -> None:
    """Cut anywhere, into pieces of any size, it opens to what a phone had sealed."""
    reference = Reference.of(data, "video")
    opener = Opener(
        reference.key,
        "Video",
        hashlib.sha256(data).digest(),
        hashlib.sha256(reference.blob).digest(),
    )
    assert opened(opener, cut(reference.blob, sizes)) == data


@given(
    data=st.binary(max_size=500),
    at=st.integers(0, 10**6),
    flip=st.integers(1, 255),
)
def test_no_changed_byte_passes(data: bytes, at: int, flip: int) -> None:
    """Wherever a byte is changed, the end says so, even if the message tells no hashes."""
    reference = Reference.of(data, "image")
    changed = bytearray(reference.blob)
    changed[at % len(changed)] ^= flip
    with pytest.raises(DamagedError):
        opened(Opener(reference.key, "Image"), [bytes(changed)])


@given(data=st.binary(max_size=500), kept=st.integers(0, 600))
def test_half_a_file_does_not_pass(data: bytes, kept: int) -> None:
    """A file that was cut short is never taken for the whole."""
    reference = Reference.of(data, "image")
    if kept < len(reference.blob):
        with pytest.raises(DamagedError):
            opened(Opener(reference.key, "Image"), [reference.blob[:kept]])


def test_a_file_is_for_one_purpose() -> None:
    """A key opens nothing else than what it was made for."""
    reference = Reference.of(b"data", "image")
    with pytest.raises(DamagedError):
        opened(Opener(reference.key, "Document"), [reference.blob])


@pytest.mark.parametrize("field", ["sha256", "sealed_sha256"])
def test_the_files_hashes_are_those_of_the_message(field: str) -> None:
    """A file rightly sealed that is not the one the message names does not pass."""
    reference = Reference.of(b"data", "image")
    with pytest.raises(DamagedError):
        opened(Opener(reference.key, "Image", **{field: b"x" * 32}), [reference.blob])


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 256 * 1024, 600_001])
def test_what_is_sealed_is_what_was_measured(tmp_path: Path, size: int) -> None:
    """The host is told the hash and the size before; a phone opens what comes then."""
    path, data = tmp_path / "file", b"ab" * (size // 2) + b"c" * (size % 2)
    path.write_bytes(data)
    seal = measure(path, KEY, "Document")
    blob = b"".join(sealed_pieces(path, KEY, "Document"))
    assert (seal.size, seal.sealed_size) == (size, len(blob))
    assert seal.sha256 == hashlib.sha256(data).digest()
    assert seal.sealed_sha256 == hashlib.sha256(blob).digest()
    assert Reference(KEY, blob).opened("document") == data
