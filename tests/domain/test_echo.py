"""The law of echoes: which hooks are about a message of our own, and which never are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.bodies import ErrorReply, NewMessage
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Text,
    Unsupported,
)
from relay.domain.echo import echoes
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.marks import marked
from relay.domain.message import Client, Origin, Written

BOT, USER, STRANGER = CrmPersonId("bot"), CrmPersonId("user"), CrmPersonId("stranger")
OWN, HERE = OwnNumber("74950000001"), ConversationId("wa-74950000001-79001234567")
ANNA = Client(ClientAddress("79001234567"), "+79001234567")
AT_MS = 1_770_000_000_000
MARKS = ("[Продажи]", "[Отправлено с телефона]")
IMPORT = NewMessage(
    HERE, MessageId("wa-1"), WhatsAppMessageId("A1"), OWN, ANNA, AT_MS, Origin.PHONE,
    Text("Уже едем"), marks=MARKS,
)  # fmt: skip
ERROR = ErrorReply(HERE, MessageId("wa-2"), OWN, ANNA, AT_MS, "[GNZS ERROR] Нет в WhatsApp.")
HOOK = Written(
    CrmMessageId("m-1"), CrmChatId("c-1"), HERE, BOT, CrmPersonId("p"), None,
    Text("[Продажи] [Отправлено с телефона] Уже едем"), AT_MS + 4_321,
)  # fmt: skip


@given(st.text(), st.integers(0, 10**13))
def test_what_was_imported_comes_back_in_the_bots_name(text: str, at_ms: int) -> None:
    """Whatever was typed, whenever amoCRM says it was: its words open with our marks."""
    ours = replace(IMPORT, content=Text(text))
    shown = marked(text, MARKS) if text.strip() else f"{marked('', MARKS)} Пусто."
    assert echoes(replace(HOOK, content=Text(shown), written_at_ms=at_ms), ours, BOT)


@pytest.mark.parametrize("content", [Text("Уже  едем \n"), Text("\n Уже едем")])
def test_blanks_do_not_matter(content: Text) -> None:
    """Whether amoCRM trims what it keeps."""
    assert echoes(HOOK, replace(IMPORT, content=content), BOT)


@given(st.text(), st.sampled_from([BOT, USER, STRANGER]), st.integers(0, 10**13))
def test_a_message_without_our_marks_is_never_one(
    text: str, author: CrmPersonId, at_ms: int
) -> None:
    """The same words, in the same chat, in the same millisecond, in anybody's name: a message."""
    hook = replace(HOOK, author=author, content=Text(text), written_at_ms=at_ms)
    assert not echoes(hook, replace(IMPORT, content=Text(text)), BOT)


@given(st.sampled_from([USER, STRANGER]), st.integers(-(10**7), 10**7).filter(bool))
def test_a_manager_who_copies_it_marks_and_all_is_heard(author: CrmPersonId, off_ms: int) -> None:
    """He is not the bot, and he writes at another moment than the phone did."""
    hook = replace(HOOK, author=author, written_at_ms=AT_MS + off_ms)
    assert not echoes(hook, IMPORT, BOT)


def test_the_bot_may_go_by_another_name() -> None:
    """Then the moment, to the millisecond as we told it, proves it."""
    assert echoes(replace(HOOK, author=STRANGER, written_at_ms=AT_MS), IMPORT, BOT)


@pytest.mark.parametrize("words", ["Уже едем!", "", "[Отправлено с телефона] Уже едем"])
def test_other_words_are_another_message(words: str) -> None:
    """A robot may write in the bot's name while an import is under way."""
    assert not echoes(replace(HOOK, content=Text(words)), IMPORT, BOT)


def test_what_a_client_wrote_has_no_echo() -> None:
    """AmoCRM sends no hooks for clients' messages, so whatever looks like one is not."""
    assert not echoes(HOOK, replace(IMPORT, origin=Origin.CLIENT), BOT)


PLACE, CARD = Location(1, 2, "Офис"), Contacts((ContactCard("Пётр", ("1",)),))
PICTURE = Media(MediaKind.IMAGE, None, "Вот")
OPENED = "[Продажи] [Отправлено с телефона]"


@pytest.mark.parametrize(
    ("ours", "hook", "is_one"),
    [
        (PICTURE, Media(MediaKind.IMAGE, None, f"{OPENED} Вот"), True),
        (PICTURE, Text(f"{OPENED} Неподдерживаемое: изображение.\nВот"), True),
        (PICTURE, Media(MediaKind.IMAGE, None, "Вот"), False),
        (PICTURE, Unsupported("location"), False),
        (replace(PICTURE, caption=""), Media(MediaKind.IMAGE, None, OPENED), True),
        (PLACE, Unsupported("location"), True),
        (PLACE, Unsupported("contact"), False),
        (PLACE, Text(f"{OPENED} Офис"), True),
        (CARD, Unsupported("contact"), True),
        (Unsupported("poll"), Text(f"{OPENED} Неподдерживаемое: опрос."), True),
        (Unsupported("poll"), Text("Неподдерживаемое: опрос."), False),
    ],
)
def test_other_kinds(ours: Content, hook: Content, is_one: bool) -> None:
    """Our marks come first and the words of who wrote it last; a place or a card by its kind."""
    assert echoes(replace(HOOK, content=hook), replace(IMPORT, content=ours), BOT) == is_one


def test_an_error_reply_comes_back_word_for_word() -> None:
    """What the relay itself says in a chat must not go out to the client either."""
    assert echoes(replace(HOOK, content=Text(ERROR.text)), ERROR, BOT)
    assert not echoes(replace(HOOK, content=Text("Нет в WhatsApp.")), ERROR, BOT)
    assert not echoes(replace(HOOK, content=Text(ERROR.text), author=USER), ERROR, BOT)
