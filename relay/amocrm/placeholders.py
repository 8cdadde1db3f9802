"""What stands in a chat in place of something the relay cannot carry yet."""

from __future__ import annotations

from typing import Final

from relay.domain.contents import MISSED_CALL, UNDECRYPTABLE
from relay.domain.settings import Language

_NAMES: Final[dict[str, dict[Language, str]]] = {
    what: {Language.RU: ru, Language.EN: en}
    for what, ru, en in (
        ("image", "изображение", "picture"),
        ("video", "видео", "video"),
        ("video_note", "видеосообщение", "video note"),
        ("audio", "аудиозапись", "audio"),
        ("voice", "голосовое сообщение", "voice message"),
        ("document", "документ", "document"),
        ("sticker", "стикер", "sticker"),
        ("location", "геопозиция", "location"),
        ("live_location", "трансляция геопозиции", "live location"),
        ("contact", "контакт", "contact"),
        ("contacts", "контакты", "contacts"),
        ("poll", "опрос", "poll"),
        ("reaction", "реакция", "reaction"),
        ("event", "мероприятие", "event"),
        ("order", "заказ", "order"),
        ("product", "товар", "product"),
        ("poll_vote", "голос в опросе", "poll vote"),
        ("call", "звонок", "call"),
        ("deletion", "сообщение удалено", "a message was deleted"),
        ("edit", "сообщение исправлено", "a message was edited"),
        ("group_invite", "приглашение в группу", "group invitation"),
        ("list", "список", "list"),
        ("buttons", "кнопки", "buttons"),
        ("view_once", "одноразовое вложение", "view-once attachment"),
    )
}

_SENTENCES: Final[dict[Language, tuple[str, str, str]]] = {
    Language.RU: (
        "Неподдерживаемое сообщение WhatsApp: {name}. Откройте его на телефоне.",
        "Неподдерживаемое сообщение WhatsApp. Откройте его на телефоне.",
        "Сообщение WhatsApp не удалось расшифровать. Откройте его на телефоне.",
    ),
    Language.EN: (
        "Unsupported WhatsApp message: {name}. Open it on the phone.",
        "Unsupported WhatsApp message. Open it on the phone.",
        "A WhatsApp message could not be decrypted. Open it on the phone.",
    ),
}


_MISSED_CALL: Final = {
    Language.RU: "Пропущенный звонок в WhatsApp. Перезвоните клиенту.",
    Language.EN: "A missed call on WhatsApp. Call the client back.",
}

_QUOTED: Final = {Language.RU: " «{}»", Language.EN: " “{}”"}


def placeholder(what: str, language: Language, *, file_name: str = "") -> str:
    """A sentence a manager understands; an unknown kind goes without its name."""
    named, nameless, unreadable = _SENTENCES[language]
    if what == UNDECRYPTABLE:
        return unreadable
    if what == MISSED_CALL:
        return _MISSED_CALL[language]
    names = _NAMES.get(what)
    if names is None:
        return nameless
    file = file_name and _QUOTED[language].format(file_name)
    return named.format(name=names[language] + file)


def word_for(what: str, language: Language) -> str:
    """What a kind of content is called, as the first word of a line."""
    return _NAMES[what][language].capitalize()


NOT_DELIVERED: Final[dict[Language, str]] = {
    Language.RU: "Сообщение не доставлено в WhatsApp.",
    Language.EN: "The message did not reach WhatsApp.",
}
"""The reason of a failure for which nobody gave one: amoCRM demands a text."""
