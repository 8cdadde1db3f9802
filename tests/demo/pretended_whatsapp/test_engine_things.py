"""What messages hold besides words, and typing: between the simulated engine and WhatsApp."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from relay.delivery.ports import MediaGoneError, MediaUnavailableError
from relay.demo.pretended_whatsapp import Attachment, Card, Place, SimulatedEngine
from relay.demo.pretended_whatsapp.wire import PIECE
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Kept,
    Location,
    Media,
    MediaKind,
    Remote,
)
from relay.domain.ids import ClientAddress
from relay.domain.message import Received
from relay.domain.outbox import Dead, Delivered
from tests.demo.pretended_whatsapp.samples import ANNA, NOW_MS, a_reply, a_world
from tests.demo.pretended_whatsapp.test_engine import Relay, linked, until


async def brought(engine: SimulatedEngine, ref: str) -> bytes:
    came = bytearray()

    async def write(piece: bytes) -> None:
        came.extend(piece)

    await engine.fetch(ref, write)
    return bytes(came)


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 300_000])
async def test_a_clients_file_is_told_of_and_brought(tmp_path: Path, size: int) -> None:
    """The message names it, and its bytes come when they are asked for, in pieces."""
    world, relay, data = a_world(), Relay(), os.urandom(size)
    async with linked(world, tmp_path, relay) as engine:
        world.client_writes(
            "anna", "sales", "look", Attachment("image", data, "a.jpg", "image/jpeg")
        )
        await until(relay.changed, lambda: relay.payloads)
        [event] = engine.read(relay.payloads[0])
        assert isinstance(event, Received)
        assert isinstance(event.content, Media)
        assert isinstance(event.content.at, Remote)
        assert (event.content.caption, event.content.size) == ("look", size)
        assert await brought(engine, event.content.at.ref) == data


async def test_the_picture_of_a_client_is_brought_if_he_shows_one(tmp_path: Path) -> None:
    """Whole; who shows none, or is nobody, has none."""
    world, picture = a_world(), os.urandom(PIECE + 1)
    world.people["anna"].picture = picture
    async with linked(world, tmp_path, Relay()) as engine:
        came = bytearray()

        async def write(piece: bytes) -> None:
            came.extend(piece)

        await engine.avatar(ClientAddress(ANNA), write)
        assert bytes(came) == picture
        for nobody in (world.people["boris"].number, "79009999999"):
            with pytest.raises(MediaGoneError):
                await engine.avatar(ClientAddress(nobody), write)


async def test_a_file_that_whatsapp_forgot_is_gone_and_one_out_of_reach_is_not(
    tmp_path: Path,
) -> None:
    """The first is never asked for again, the second later."""
    world, relay = a_world(), Relay()
    async with linked(world, tmp_path, relay) as engine:
        bubble = world.client_writes("anna", "sales", "", Attachment("voice", b"abc"))
        world.expire(bubble)
        with pytest.raises(MediaGoneError):
            await brought(engine, bubble.id)
        world.switch_line("sales", online=False)
        with pytest.raises(MediaUnavailableError):
            await brought(engine, bubble.id)


async def test_a_kept_file_is_sent_with_its_words(tmp_path: Path) -> None:
    """The client has it byte for byte; a file that is kept no more is not sent."""
    world, relay, path = a_world(), Relay(), tmp_path / "price.pdf"
    path.write_bytes(os.urandom(250_000))
    medium = Media(MediaKind.DOCUMENT, Kept(str(path)), "the price", "price.pdf", "application/pdf")
    async with linked(world, tmp_path, relay) as engine:
        assert isinstance(await engine.send(a_reply(content=medium)), Delivered)
        gone = await engine.send(a_reply(content=replace(medium, at=Kept("gone"))))
        assert isinstance(gone, Dead)
    [bubble] = world.bubbles
    assert bubble.file == Attachment("document", path.read_bytes(), "price.pdf", "application/pdf")
    assert bubble.text == "the price"


async def test_a_voice_message_keeps_its_picture(tmp_path: Path) -> None:
    """The loudnesses that the relay has drawn, and its length, are the client's."""
    world, path = a_world(), tmp_path / "voice.ogg"
    path.write_bytes(b"OggS")
    drawn = tuple(range(64))
    medium = Media(MediaKind.VOICE, Kept(str(path)), duration_s=4, waveform=drawn)
    async with linked(world, tmp_path, Relay()) as engine:
        assert isinstance(await engine.send(a_reply(content=medium)), Delivered)
    file = world.bubbles[0].file
    assert file is not None
    assert (file.what, file.duration_s, file.waveform) == ("voice", 4, drawn)


async def test_places_and_cards_are_told(tmp_path: Path) -> None:
    """As what they are, with their words."""
    world, relay = a_world(), Relay()
    async with linked(world, tmp_path, relay) as engine:
        world.client_writes("anna", "sales", "", Place(55.5, 37.0, "Tverskaya 1"))
        world.client_writes("anna", "sales", "", Card("Pyotr", "+7 900 000-00-07"))
        await until(relay.changed, lambda: len(relay.payloads) == 2)
        events = [event for payload in relay.payloads for event in engine.read(payload)]
    assert [event.content for event in events if isinstance(event, Received)] == [
        Location(55.5, 37.0, "Tverskaya 1"),
        Contacts((ContactCard("Pyotr", ("+7 900 000-00-07",)),)),
    ]


async def test_typing_is_shown_on_a_phone_that_is_on(tmp_path: Path) -> None:
    """For six seconds, or until a message comes; a phone that is off, or nobody's, shows none."""
    world = a_world()
    changed = asyncio.Event()
    world.on_change(changed.set)
    async with linked(world, tmp_path, Relay()) as engine:
        await engine.show_typing(ClientAddress(ANNA))
        await until(changed, lambda: world.typing_until_ms)
        assert world.typing_until_ms == {("sales", "anna"): NOW_MS + 6_000}
        await engine.send(a_reply("hello"))
        assert world.typing_until_ms == {}
        world.switch_client("boris", False)
        for number in ("79000000002", "79000000099"):
            await engine.show_typing(ClientAddress(number))
        await engine.send(a_reply("after them"))
        assert world.typing_until_ms == {}
    await engine.show_typing(ClientAddress(ANNA))  # nothing is connected any more
    assert world.typing_until_ms == {}
