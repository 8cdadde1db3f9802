"""What people do with messages of the pretended WhatsApp afterwards."""

from __future__ import annotations

import pytest

from relay.demo.pretended_whatsapp.payload import read_payload
from relay.demo.pretended_whatsapp.sequels import (
    client_edits,
    client_reacts,
    client_takes_back,
    relay_reacts,
)
from relay.demo.pretended_whatsapp.things import Attachment, Bubble, Card
from relay.demo.pretended_whatsapp.world import UnfitError, World
from relay.domain.contents import Media, MediaKind, Text
from relay.domain.message import Deleted, Edited, Origin, Reacted, Received, WhatsAppEvent
from tests.demo.pretended_whatsapp.samples import a_world


def told(there: World) -> list[WhatsAppEvent]:
    """What the linked device is yet to take."""
    return [event for held in there.line("sales").held for event in read_payload(held.raw)]


def begun() -> tuple[World, Bubble]:
    there = a_world()
    there.line("sales")
    return there, there.client_writes("anna", "sales", "в 5")


def test_the_linked_device_hears_what_becomes_of_a_message() -> None:
    """Edits, reactions and deletions name their message and have ids of their own."""
    there, bubble = begun()
    client_edits(there, bubble.id, "в 6")
    client_reacts(there, bubble.id, "👍")
    client_reacts(there, bubble.id, "")
    client_takes_back(there, bubble.id)
    _, edited, on, off, gone = told(there)
    assert isinstance(edited, Edited)
    assert edited.content == Text("в 6")
    assert isinstance(on, Reacted)
    assert isinstance(off, Reacted)
    assert (on.emoji, off.emoji) == ("👍", "")
    assert isinstance(gone, Deleted)
    found = (edited, on, off, gone)
    assert {event.target for event in found} == {bubble.id}
    assert {event.origin for event in found} == {Origin.CLIENT}
    assert len({event.id for event in found}) == 4


def test_an_edit_of_a_file_is_of_its_words() -> None:
    """The file goes along, with its new caption; what has no caption cannot be edited."""
    there, _ = begun()
    photo = Attachment("image", b"abc", "", "image/png")
    bubble = there.client_writes("anna", "sales", "красное", photo)
    client_edits(there, bubble.id, "зелёное")
    *_, edited = told(there)
    assert isinstance(edited, Edited)
    assert isinstance(edited.content, Media)
    assert (edited.content.what, edited.content.caption) == (MediaKind.IMAGE, "зелёное")
    for thing in (Attachment("voice", b"abc"), Card("Pyotr", "+7 900 000-00-07")):
        without = there.client_writes("anna", "sales", "", thing)
        with pytest.raises(UnfitError):
            client_edits(there, without.id, "слова")


def test_an_answer_names_what_it_answers() -> None:
    """By the message's own id."""
    there, bubble = begun()
    there.client_writes("anna", "sales", "алло", quotes=bubble.id)
    *_, answer = told(there)
    assert isinstance(answer, Received)
    assert answer.quotes == bubble.id


def test_nobody_edits_what_is_not_his_or_not_there() -> None:
    """Nor does anybody react to what was taken back."""
    there, bubble = begun()
    sent = there.send("sales", there.people["anna"].number, "слушаю")
    assert sent is not None
    client_takes_back(there, bubble.id)
    with pytest.raises(UnfitError, match="somebody else's"):
        client_edits(there, sent.id, "подлог")
    with pytest.raises(UnfitError, match="somebody else's"):
        client_takes_back(there, sent.id)
    with pytest.raises(UnfitError, match="no such message"):
        client_reacts(there, bubble.id, "👍")
    with pytest.raises(UnfitError, match="no such message"):
        client_edits(there, "nothing", "x")


def test_the_relay_has_one_reaction_to_a_message() -> None:
    """The same again changes nothing, another replaces it, none takes it off."""
    there, bubble = begun()
    for emoji, expected in (("❤️", "❤️"), ("❤️", "❤️"), ("👍", "👍"), ("", None)):
        assert relay_reacts(there, bubble.id, emoji)
        assert bubble.reactions.get("relay") == expected
    assert not relay_reacts(there, "nothing", "👍")
