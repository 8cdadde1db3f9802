"""Edits and deletions of what still waits, of files, and of what was edited before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.domain.bodies import NewMessage, Quote, Reaction, Reply, Revision
from relay.domain.contents import (
    UNDECRYPTABLE,
    VIEW_ONCE,
    Content,
    Kept,
    Media,
    MediaKind,
    Text,
    Unsupported,
)
from relay.domain.ids import ClientAddress, ConversationId, WhatsAppMessageId
from relay.domain.message import Alias, Client, Deleted, Edited, Origin, Reacted, Received
from relay.domain.retry import SECOND
from relay.domain.settings import Language
from tests.clock import settle
from tests.delivery.test_awaiting import photo
from tests.delivery.test_revisions import A1, ANNA, AT_MS, FIRST, deleted, edited, ignored
from tests.delivery.world import OWN, World, from_client, running, written

STAND_IN = WhatsAppMessageId("A1~placeholder")


def shown(world: World) -> list[tuple[Content, tuple[str, ...]]]:
    """What amoCRM was told that messages say, in order."""
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [(b.content, b.marks) for b in bodies if isinstance(b, NewMessage | Revision)]


def recaptioned(caption: str, id_: str = "E1") -> Edited:
    content = Media(MediaKind.IMAGE, None, caption=caption)
    return replace(edited("", id_), content=content)


def kept(caption: str) -> Media:
    return Media(MediaKind.IMAGE, Kept("kept-0"), caption, "a.jpg", "image/jpeg", 3)


# --- While its file is fetched --------------------------------------------------------------------


async def test_new_words_under_a_picture_that_is_still_fetched() -> None:
    """The picture comes once, with its last words, and nothing says that there is none."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await world.hear(recaptioned("Раз"))
        await world.hear(recaptioned("Два", "E2"))
        await world.hear(from_client("A2", "видно?"))
        await settle()
        assert shown(world) == []
        world.media.gate.set()
        await settle()
    assert shown(world) == [(kept("Два"), ()), (Text("видно?"), ())]
    assert ignored(world) == ["amended", "amended"]


async def test_new_words_under_a_picture_that_has_come() -> None:
    """Only the words are new: the file is the one that amoCRM has."""
    async with running() as world:
        world.media.remote["photo"] = b"abc"
        await world.hear(photo("A1"))
        await settle()
        await world.hear(recaptioned("Исправлено"))
    assert shown(world) == [(kept("Вот"), ()), (kept("Исправлено"), ())]


async def test_a_picture_taken_back_while_it_is_fetched_is_kept_if_the_file_says_so() -> None:
    """It enters marked, with its words."""
    async with running(keep_deleted=True, language=Language.EN) as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await world.hear(deleted())
        world.media.gate.set()
        await settle()
    assert shown(world) == [(kept("Вот"), ("[Deleted]",))]


@pytest.mark.parametrize("late", [False, True], ids=["while waited for", "after the patience"])
async def test_a_picture_taken_back_while_it_is_fetched_never_comes(late: bool) -> None:
    """With ``keep_deleted: false`` only the mark enters, and the file does not follow."""
    async with running(keep_deleted=False, language=Language.EN) as world:
        world.media.remote["photo"] = b"abc"
        world.media.gate.clear()
        await world.hear(photo("A1"))
        await settle()
        if late:
            await world.clock.advance_ms(301 * SECOND)
        await world.hear(deleted())
        await settle()
        world.media.gate.set()
        await settle()
    assert shown(world)[-1] == (Text(""), ("[Deleted]",))
    assert not any(isinstance(content, Media) and content.at for content, _ in shown(world)[late:])
    assert len(shown(world)) == 2


# --- After other edits ----------------------------------------------------------------------------


async def test_what_is_taken_back_after_an_edit_shows_its_last_words() -> None:
    """Not the first ones: the manager would read what the client has corrected."""
    async with running(keep_deleted=True, language=Language.EN) as world:
        await world.hear(from_client("A1", "в 5"))
        await settle()
        await world.hear(edited("в 6"))
        await world.hear(deleted())
        await world.hear(deleted())
    assert shown(world)[1:] == [(Text("в 6"), ()), (Text("в 6"), ("[Deleted]",))]
    assert ignored(world) == ["duplicate"]


async def test_edits_of_one_row_are_all_told() -> None:
    """Several events may come at once; each sees what followed from those before it."""
    async with running() as world:
        await world.hear(from_client("A1"), edited("1"), edited("2", "E2"), edited("2", "E2"))
    assert [content for content, _ in shown(world)] == [Text("Привет"), Text("1"), Text("2")]


async def test_a_quotation_shows_the_last_words() -> None:
    """The client sees above the answer what he himself reads in his chat."""
    async with running() as world:
        await world.hear(from_client("A1", "в 5"))
        await settle()
        await world.hear(edited("в 6"))
        await world.hook(replace(written("m-1"), quotes=FIRST.crm))
    [entry] = world.to_whatsapp.carried
    assert isinstance(entry.letter.body, Reply)
    assert entry.letter.body.quotes == Quote(A1, by_client=True, content=Text("в 6"))


# --- What could not be read, or not for long ------------------------------------------------------


def unreadable() -> Received:
    return replace(from_client("A1"), id=STAND_IN, content=Unsupported(UNDECRYPTABLE))


async def test_an_edit_of_an_unreadable_message_takes_its_place() -> None:
    """The placeholder is not shown any more, and the first wording does not follow."""
    async with running() as world:
        await world.hear(unreadable())
        await world.hear(replace(edited("Ясно"), instead_of=STAND_IN))
        await world.clock.advance_ms(11 * SECOND)
        await world.hear(from_client("A1", "Неясно"))
    assert shown(world) == [(Text("Ясно"), ())]


async def test_an_unreadable_message_that_was_taken_back_is_marked() -> None:
    """The placeholder says so: nobody is to wait for it."""
    async with running(language=Language.EN) as world:
        await world.hear(unreadable())
        await world.clock.advance_ms(11 * SECOND)
        await world.hear(replace(deleted(), instead_of=STAND_IN))
    assert shown(world) == [
        (Unsupported(UNDECRYPTABLE), ()),
        (Text(""), ("[Deleted]",)),
    ]


async def test_an_edit_does_not_bring_what_was_to_be_seen_once() -> None:
    """Neither the picture nor its words are copied, however they are told again."""
    async with running() as world:
        await world.hear(replace(from_client("A1"), content=Unsupported(VIEW_ONCE)))
        await settle()
        await world.hear(recaptioned("секрет"))
    assert shown(world) == [(Unsupported(VIEW_ONCE), ())]
    assert ignored(world) == ["view_once"]


# --- Two conversations that become one ------------------------------------------------------------


async def test_what_becomes_of_a_message_is_told_in_the_chat_that_has_it() -> None:
    """Two chats turn out to be one client's: the younger one's messages stay where they are."""
    hidden = Client(ClientAddress("lid:100000000000003"), None, "Анна")
    async with running() as world:
        await world.hear(replace(from_client("H1"), client=hidden))
        await world.clock.advance_ms(3 * SECOND)
        await world.hear(from_client("A1"))
        await settle()
        await world.hear(Alias(OWN, hidden.address, ANNA.address))
        target, id_ = WhatsAppMessageId("A1"), WhatsAppMessageId("X1")
        about = (OWN, ANNA, id_, target, AT_MS, Origin.CLIENT)
        await world.hear(Edited(*about, Text("иначе")))
        await world.hear(Reacted(*about, "👍"))
        await world.hear(Deleted(*about))
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    of_a1 = {b.conversation for b in bodies if isinstance(b, NewMessage) and b.whatsapp_id == A1}
    later = {b.conversation for b in bodies if isinstance(b, Revision | Reaction)}
    assert of_a1 == later == {ConversationId("wa-74950000001-79001234567")}
