"""Pictures of clients, by the real library's session from our WhatsApp server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whatsapp.linked_device.scene import connected

SOME = b"\xff\xd8\xff\xe0 a small picture"


async def test_the_picture_that_a_client_shows_is_brought(tmp_path: Path) -> None:
    """Byte by byte, by his number or his hidden address; it is the small one that is asked for."""
    async with connected(tmp_path) as (there, engine):
        there.anna.picture_url = there.server.media.picture(SOME)
        for address in (there.anna.number, f"lid:{there.anna.lid.user}"):
            line = await engine.avatar(address, tmp_path / "picture")
            assert line["error"] is None, address
            assert (tmp_path / "picture").read_bytes() == SOME
        assert there.device.pictures_asked == ["preview", "preview"]


async def test_without_a_picture_there_is_none(tmp_path: Path) -> None:
    """None at all, hidden from us, or dropped by the host: "gone", and it may well stay so."""
    async with connected(tmp_path) as (there, engine):
        line = await engine.avatar(there.anna.number, tmp_path / "picture")
        assert line["error"] == "MediaGoneError"
        there.anna.picture_url = there.server.media.picture(SOME)
        there.device.refuse_requests["w:profile:picture"] = 401
        line = await engine.avatar(there.anna.number, tmp_path / "picture")
        assert line["error"] == "MediaGoneError", line["words"]
        there.server.media.gone = 404
        line = await engine.avatar(there.anna.number, tmp_path / "picture")
        assert line["error"] == "MediaGoneError"


@pytest.mark.parametrize("code", [429, 500])
async def test_a_refusal_is_no_answer_about_the_picture(tmp_path: Path, code: int) -> None:
    """Too many requests, or a fault over there: "not now", and the words name no number."""
    async with connected(tmp_path) as (there, engine):
        there.device.refuse_requests["w:profile:picture"] = code
        line = await engine.avatar(there.anna.number, tmp_path / "picture")
        assert line["error"] == "MediaUnavailableError"
        assert there.anna.number not in line["words"]


async def test_no_other_host_is_asked_for_it(tmp_path: Path) -> None:
    """Whatever address is told."""
    async with connected(tmp_path) as (there, engine):
        for place in ("http://127.0.0.1/anna.jpg", "https://127.0.0.1/anna.jpg"):
            there.anna.picture_url = place
            line = await engine.avatar(there.anna.number, tmp_path / "picture")
            assert line["error"] == "MediaUnavailableError"
        assert not there.server.refused
