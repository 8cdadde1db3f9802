"""Names of kept files, and what strangers may call theirs."""

from __future__ import annotations

import os
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.contents import MediaKind
from relay.media.kinds import UNKNOWN, identify, kind_by_ending, library
from relay.media.names import (
    FileName,
    State,
    ending_of,
    fit_for_disk,
    parse_on_disk,
    parse_public,
    state_of,
    token_of,
)

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100)
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(100)
OPUS = b"OggS\0\2" + bytes(8) + b"abcd" + bytes(4) + b"abcd\1\x13OpusHead\1\1" + bytes(20)
ZIP = b"PK\x03\x04" + bytes(60)
EXE = b"MZ\x90\0" + bytes(100)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@given(st.text(min_size=1), st.sampled_from(MediaKind), st.binary(max_size=300))
def test_any_name_makes_a_file_that_can_be_kept_and_found(
    name: str, what: MediaKind, head: bytes
) -> None:
    """One component of a path, not too long, telling the same when it is read again."""
    tidy, mime = identify(head, name, what)
    tidy = fit_for_disk(tidy)
    known = FileName(token_of(b"key", b"digest", tidy), tidy)
    assert len(os.fsencode(known.on_disk)) <= 255
    assert "/" not in known.on_disk
    assert "\0" not in known.on_disk
    assert parse_on_disk(known.on_disk) == known
    assert parse_public(known.public) == known.token
    assert set(known.public) <= set(string.ascii_lowercase + string.digits + ".")
    assert kind_by_ending(ending_of(tidy)) == mime


@pytest.mark.parametrize(
    ("head", "name", "expected", "mime"),
    [
        (JPEG, "a.jpg", "a.jpg", "image/jpeg"),
        (JPEG, "a.JPEG", "a.JPEG", "image/jpeg"),
        (JPEG, "", "image.jpg", "image/jpeg"),
        (JPEG, "scan.pdf", "scan.pdf.jpg", "image/jpeg"),
        (MP4, "clip", "clip.mp4", "video/mp4"),
        (OPUS, "", "image.ogg", "audio/ogg"),
        (OPUS, "v.opus", "v.opus", "audio/ogg"),
        (b"%PDF-1.7\n", "Договор №5", "Договор №5.pdf", "application/pdf"),
        (ZIP, "a.zip", "a.zip", "application/zip"),
        (b"one;two\n", "t.csv", "t.csv", "text/csv"),
        (b"\1\2\3", "plan.dwg", "plan.dwg", "image/vnd.dwg"),
        (b"\1\2\3", "что-то", "что-то", UNKNOWN),
        (EXE, "setup.exe", "setup.exe", UNKNOWN),
    ],
)
def test_the_kind_is_found_out_and_the_name_agrees(
    head: bytes, name: str, expected: str, mime: str
) -> None:
    """The bytes decide; where they leave it open, the ending may say more."""
    assert identify(head, name, MediaKind.IMAGE) == (expected, mime)


def test_an_office_document_is_more_than_a_zip() -> None:
    """It opens in the right program at the manager's."""
    name, mime = identify(ZIP, "смета.xlsx", MediaKind.DOCUMENT)
    assert name == "смета.xlsx"
    assert mime.endswith("spreadsheetml.sheet")


@pytest.mark.parametrize("data", [HTML, SVG])
@pytest.mark.parametrize("name", ["page.html", "pic.svg", "photo.jpg", "x", "a.xml", "a.xhtml"])
def test_nothing_is_given_out_as_something_that_runs(data: bytes, name: str) -> None:
    """Whatever it is called, a browser gets unknown bytes, or plain text."""
    _, mime = identify(data, name, MediaKind.IMAGE)
    assert mime in (UNKNOWN, "text/plain")


def test_a_program_called_a_picture_does_not_look_like_one() -> None:
    """A name must not promise what the bytes are not."""
    assert identify(EXE, "photo.jpg", MediaKind.IMAGE) == ("photo.jpg.bin", UNKNOWN)


def test_a_direction_mark_cannot_hide_an_ending() -> None:
    """``photo…gpj.exe`` is read as what it is, whatever stands between."""
    name, _ = identify(EXE, "photo\u202egpj.exe", MediaKind.IMAGE)
    assert name == "photogpj.exe"


def test_a_long_name_keeps_its_ending() -> None:
    """Three hundred letters of two bytes each, and still a PDF."""
    name, mime = identify(b"%PDF-1.7\n", "д" * 300 + ".pdf", MediaKind.DOCUMENT)
    assert fit_for_disk(name).endswith("д.pdf")
    assert mime == "application/pdf"


@pytest.mark.parametrize(
    "start", ["ffd8ffe000104a46494600", "ffd8ffe1001845786966", "ffd8ffdb0043"]
)
def test_a_photo_is_known_as_the_library_knows_it(start: str) -> None:
    """Though the library is not asked, for it takes longer than all the rest."""
    head = bytes.fromhex(start) + bytes(100)
    assert library().from_buffer(head) == "image/jpeg"
    assert identify(head, "", MediaKind.IMAGE) == ("image.jpg", "image/jpeg")


@pytest.mark.parametrize(
    ("mode", "state"), [*((0o100000 | state, state) for state in State), (0o100644, State.NEW)]
)
def test_permissions_tell_the_state(mode: int, state: State) -> None:
    """Those of a copy that lost them tell that amoCRM may still need it."""
    assert state_of(mode) is state


_WITHOUT_THE_SYSTEMS = """
import ctypes.util
ordinary = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if name == "magic" else ordinary(name)
from relay.media.kinds import library
library()
print(*{line.split()[-1] for line in open("/proc/self/maps") if "libmagic" in line})
"""


def test_libmagic_comes_with_the_relay() -> None:
    """Where the system has none, the one that pip brought is loaded."""
    done = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", _WITHOUT_THE_SYSTEMS], capture_output=True, text=True, check=True
    )
    assert "pylibmagic" in done.stdout
