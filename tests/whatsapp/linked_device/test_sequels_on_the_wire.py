"""Edits, deletions, reactions and quotations through the real library, both ways.

It proves what the engine and the library do, not what WhatsApp accepts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.domain.bodies import Quote
from relay.domain.contents import Media, MediaKind, Text
from relay.domain.ids import WhatsAppMessageId
from relay.domain.message import Deleted, Edited, Origin, Reacted, Received
from relay.whatsapp.linked_device.reading import placeholder_id
from tests.whatsapp.linked_device.engine_process import EngineProcess
from tests.whatsapp.linked_device.scene import OWN, Scene, connected, scene
from tests.whatsapp_server import content
from tests.whatsapp_server.contact import Addressing

ANNA = "79161234567"
Live = tuple[Scene, EngineProcess]


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with connected(tmp_path) as pair:
        yield pair


# --- In -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("addressing", ["lid", "pn", "pn_alone"])
async def test_an_edit_comes_out_of_its_envelope(live: Live, addressing: Addressing) -> None:
    """Phones wrap an edit; the library takes that off, and the edit names its message."""
    there, engine = live
    first = await there.anna.send(there.phone, "в 5", addressing=addressing)
    edit = await there.anna.edit(there.phone, first, "в 6", addressing=addressing)
    found = await engine.sequel()
    assert isinstance(found, Edited)
    assert (found.target, found.id, found.origin) == (first, edit, Origin.CLIENT)
    assert (found.client.address, found.content) == (ANNA, Text("в 6"))
    assert found.instead_of == placeholder_id(WhatsAppMessageId(first))


async def test_words_under_a_picture_are_edited(live: Live) -> None:
    """The edit carries a picture without bytes, whose words are the new ones."""
    there, engine = live
    first = await there.anna.send(there.phone, "as if a picture")
    await there.anna.edit(there.phone, first, content.caption("вот"))
    found = await engine.sequel()
    assert isinstance(found, Edited)
    assert found.content == Media(MediaKind.IMAGE, None, caption="вот")


async def test_a_client_takes_back_and_reacts(live: Live) -> None:
    """To his own message and to ours; an emoji that is taken off is an empty one."""
    there, engine = live
    first = await there.anna.send(there.phone, "ой")
    await there.anna.react(there.phone, first, "😀", to_own=True)
    await there.anna.react(there.phone, first, "", to_own=True)
    await there.anna.take_back(there.phone, first)
    on, off, gone = [await engine.sequel() for _ in range(3)]
    assert isinstance(on, Reacted)
    assert isinstance(off, Reacted)
    assert isinstance(gone, Deleted)
    assert (on.emoji, off.emoji) == ("😀", "")
    assert {on.target, off.target, gone.target} == {first}


async def test_what_the_owner_does_on_his_phone_is_heard(live: Live) -> None:
    """Edits, deletions and reactions of the phone, in the client's conversation."""
    there, engine = live
    first = await there.phone.send(there.anna, "добрый вечер")
    hers = await there.anna.send(there.phone, "здравствуйте")
    await there.phone.edit(there.anna, first, "добрый день")
    await there.phone.react(there.anna, hers, "👍")
    await there.phone.take_back(there.anna, first)
    edited, reacted, deleted = [await engine.sequel() for _ in range(3)]
    assert isinstance(edited, Edited)
    assert edited.content == Text("добрый день")
    assert isinstance(reacted, Reacted)
    assert isinstance(deleted, Deleted)
    assert [e.target for e in (edited, reacted, deleted)] == [first, hers, first]
    assert {e.origin for e in (edited, reacted, deleted)} == {Origin.PHONE}
    assert {e.client.address for e in (edited, reacted, deleted)} == {ANNA}


async def test_an_answer_names_what_it_answers(live: Live) -> None:
    """By the id that its message has on WhatsApp."""
    there, engine = live
    sent = await engine.send(ANNA, "в 5 или в 6?")
    await there.anna.send(there.phone, content.reply("в 6", sent["reference"], there.phone.lid))
    answer = await engine.message()
    assert isinstance(answer, Received)
    assert (answer.content, answer.quotes) == (Text("в 6"), sent["reference"])


async def test_what_became_of_messages_while_nobody_listened_comes_later(tmp_path: Path) -> None:
    """WhatsApp keeps it like messages; in order it comes, each once."""
    async with scene(tmp_path) as there:
        first = await there.anna.send(there.phone, "в 5")
        await there.anna.edit(there.phone, first, "в 6")
        await there.anna.take_back(there.phone, first)
        async with there.engine() as engine:
            await engine.state("connected")
            found = [await engine.sequel() for _ in range(2)]
            assert [type(each) for each in found] == [Edited, Deleted]
            await there.device.drained()


# --- Out ------------------------------------------------------------------------------------------


async def test_a_reaction_reaches_the_message_it_is_put_on(live: Live) -> None:
    """On the client's message and on ours, and off again."""
    there, engine = live
    hers = await there.anna.send(there.phone, "спасибо")
    await engine.message()
    ours = (await engine.send(ANNA, "пожалуйста"))["reference"]
    await there.anna.received("пожалуйста")
    assert await engine.react(ANNA, hers, "❤️", by_client=True) == "Delivered"
    assert await engine.react(ANNA, ours, "👍", by_client=False) == "Delivered"
    assert await engine.react(ANNA, hers, "", by_client=True) == "Delivered"
    seen = []
    for _ in range(3):
        heard = await there.anna.messages.take(
            lambda h: content.reaction_of(h.message) is not None, what="a reaction"
        )
        found = content.reaction_of(heard.message)
        assert found is not None
        assert heard.stanza.get("type") == "reaction"
        seen.append((found.emoji, found.target_id, found.own))
    assert seen == [("❤️", hers, False), ("👍", ours, True), ("", hers, False)]


async def test_a_reaction_repeated_after_a_broken_line_does_no_harm(live: Live) -> None:
    """Where it is not known whether it arrived it is tried again: the same emoji stays the same."""
    there, engine = live
    hers = await there.anna.send(there.phone, "спасибо")
    await engine.message()
    there.device.drop_before_next_ack()
    outcome = "Retry"
    for _ in range(5):
        outcome = await engine.react(ANNA, hers, "❤️", by_client=True)
        if outcome == "Delivered":
            break
        assert outcome == "Retry"
        await there.device.online()
    assert outcome == "Delivered"
    seen = [content.reaction_of(heard.message) for heard in there.anna.messages.history]
    assert {(found.emoji, found.target_id) for found in seen if found} == {("❤️", hers)}


@pytest.mark.parametrize("by_client", [True, False])
async def test_a_quotation_reaches_the_client(live: Live, by_client: bool) -> None:
    """Whose message it was, its id, and its words above the answer."""
    there, engine = live
    target = await there.anna.send(there.phone, "сколько?")
    quote = Quote(WhatsAppMessageId(target), by_client, Text("сколько?"))
    outcome = await engine.send_content(ANNA, Text("1000"), quote)
    assert outcome["kind"] == "Delivered"
    heard = await there.anna.received("1000")
    found = content.quotation_of(heard.message)
    assert found is not None
    assert (found.target_id, found.text) == (target, "сколько?")
    assert found.author.user == (ANNA if by_client else OWN)
