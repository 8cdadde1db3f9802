"""What amoCRM's hooks say, in our words. No I/O; the signature was verified before.

Lenient where the field is: keys may be missing, null or empty. Only what the relay cannot do
without is demanded: the message's id and its chat's id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import orjson

from relay.amocrm.keyboards import with_keyboard
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.ids import (
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    parse_source_id,
)
from relay.domain.message import (
    CrmEvent,
    CrmReaction,
    CrmTyping,
    Skipped,
    Written,
)

Fields = Mapping[str, object]

_NOTHING: Final[Fields] = {}

_MEDIA: Final = {
    "picture": MediaKind.IMAGE,
    "video": MediaKind.VIDEO,
    "voice": MediaKind.VOICE,
    "audio": MediaKind.AUDIO,
    "file": MediaKind.DOCUMENT,
    "sticker": MediaKind.STICKER,
}
"""amoCRM's kinds of contents that are media."""

_BY_ENDING: Final = {
    "jpg": MediaKind.IMAGE,
    "jpeg": MediaKind.IMAGE,
    "png": MediaKind.IMAGE,
    "mp4": MediaKind.VIDEO,
}
"""What a file is that comes with a text and without a kind of its own."""


def parse_hook(payload: bytes) -> Fields:
    """The hook as a JSON object.

    Raises:
        ValueError: these bytes are not JSON, or not an object.
    """
    try:
        hook = _loads(payload)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(hook, dict):
        raise ValueError("not an object")
    return hook


def _loads(payload: bytes) -> object:
    """The quick parser first; the other one takes lone surrogates, UTF-16 and NaN as well."""
    try:
        return orjson.loads(payload)
    except ValueError:
        return json.loads(payload)


def is_v1(hook: Fields) -> bool:
    """Whether the hook is of version 1: the channel was connected without asking for 2.

    Its message is flat, with ``conversation_id`` and without an id. UNCONFIRMED: whether it
    stands under ``message`` or at the top, so both are recognised.
    """
    place = hook.get("message", hook)
    return (
        isinstance(place, dict)
        and isinstance(place.get("conversation_id"), str)
        and not isinstance(place.get("message"), dict)
    )


def read_hook(payload: bytes) -> CrmEvent:
    """What a hook says; the deed is decided elsewhere.

    Raises:
        ValueError: it makes no sense.
    """
    hook = parse_hook(payload)
    if is_v1(hook):
        return Skipped("v1")
    if hook.get("message") is not None:
        return _written(hook)
    action = _fields(hook, "action")
    if "reaction" in action:
        return _reaction(hook, action)
    if "typing" in action:
        chat, ours = _chat(_fields(_fields(action, "typing"), "conversation"))
        return CrmTyping(chat, ours) if chat else Skipped("typing")
    return Skipped("unknown")


def _written(hook: Fields) -> Written:
    letter = hook["message"]
    if not isinstance(letter, dict):
        raise ValueError("message is not an object")
    message, conversation = _fields(letter, "message"), _fields(letter, "conversation")
    receiver = _fields(letter, "receiver")
    return Written(
        id=CrmMessageId(_demanded(message, "id", "message.message.id")),
        chat=CrmChatId(_demanded(conversation, "id", "message.conversation.id")),
        conversation=ConversationId(ours) if (ours := _word(conversation, "client_id")) else None,
        author=CrmPersonId(_word(_fields(letter, "sender"), "id")),
        client=CrmPersonId(_word(receiver, "id")),
        phone=_word(receiver, "phone") or None,
        content=_content(message),
        written_at_ms=_moment_ms(letter, hook),
        source=parse_source_id(_word(_fields(letter, "source"), "external_id")),
        quotes=_quoted(message),
    )


def _quoted(message: Fields) -> CrmMessageId | None:
    quoted = _word(_fields(_fields(message, "reply_to"), "message"), "id")
    return CrmMessageId(quoted) if quoted else None


def _reaction(hook: Fields, action: Fields) -> CrmReaction | Skipped:
    """Lenient about where user and message stand: the documentation's own pages disagree."""
    reaction = _fields(action, "reaction")
    chat, ours = _chat(_fields(reaction, "conversation"))
    message = _word(_fields(reaction, "message"), "id") or _word(reaction, "msgid")
    if not (chat and message):
        return Skipped("reaction")
    author = _fields(reaction, "user") or _fields(action, "user")
    emoji = "" if _word(reaction, "type") == "unreact" else _text(reaction, "emoji")
    moment_ms = _moment_ms({}, hook)
    return CrmReaction(
        chat, ours, CrmMessageId(message), CrmPersonId(_word(author, "id")), emoji, moment_ms
    )


def _chat(conversation: Fields) -> tuple[CrmChatId, ConversationId | None]:
    ours = _word(conversation, "client_id")
    return CrmChatId(_word(conversation, "id")), ConversationId(ours) if ours else None


def _content(message: Fields) -> Content:
    """One hook may bring text, file and buttons at once: the words become the file's caption."""
    kind, link = _word(message, "type") or "text", _word(message, "media")
    text = with_keyboard(_text(message, "text"), message)
    if link or kind in _MEDIA:
        return _medium(message, kind, link, text)
    if (place := _place(message, text)) is not None:
        return place
    if text.strip():
        return Text(text)
    return Unsupported("empty" if kind == "text" else kind)


def _place(message: Fields, text: str) -> Content | None:
    """A location or a contact: amoCRM documents none in hooks, but takes both from us."""
    where, who = _fields(message, "location"), _fields(message, "contact")
    latitude, longitude = where.get("lat"), where.get("lon")
    if _degrees(latitude, 90) and _degrees(longitude, 180):
        return Location(float(str(latitude)), float(str(longitude)), text)
    if phone := _text(who, "phone").strip():
        return Contacts((ContactCard(_text(who, "name").strip() or phone, (phone,)),))
    return None


def _degrees(value: object, most: int) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(float(str(value))) <= most


def _medium(message: Fields, kind: str, link: str, text: str) -> Media:
    """A kind that is none of ours is a document, or what the ending of its name says."""
    name = _text(message, "file_name")
    ending = name.rpartition(".")[2].lower()
    return Media(
        what=_MEDIA.get(kind) or _BY_ENDING.get(ending, MediaKind.DOCUMENT),
        at=Remote(link) if link else None,
        caption=text if text.strip() else "",
        name=name,
        size=_whole(message, "file_size"),
        duration_s=_whole(message, "media_duration"),
    )


def _moment_ms(letter: Fields, hook: Fields) -> int:
    """When it was written, or the hook sent; 0 if amoCRM does not say."""
    for value, unit_ms in (
        (letter.get("msec_timestamp"), 1),
        (letter.get("timestamp"), 1000),
        (hook.get("time"), 1000),
    ):
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53:
            return value * unit_ms
    return 0


def _fields(place: Fields, key: str) -> Fields:
    value = place.get(key)
    return value if isinstance(value, dict) else _NOTHING


def _word(place: Fields, key: str) -> str:
    """An id, a number or a name; empty if missing.

    Raises:
        ValueError: it holds half a character, which nothing behind us could store.
    """
    value = place.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    if not value.isascii():
        value.encode()  # raises UnicodeEncodeError, a ValueError
    return value


def _whole(place: Fields, key: str) -> int | None:
    """A count of bytes or seconds; None if missing or nonsense."""
    value = place.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53:
        return value
    return None


def _text(place: Fields, key: str) -> str:
    """Words as written; halves of a character that JSON lets through are joined or replaced."""
    value = place.get(key)
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _demanded(place: Fields, key: str, path: str) -> str:
    value = _word(place, key)
    if not value:
        raise ValueError(f"{path} is missing")
    return value
