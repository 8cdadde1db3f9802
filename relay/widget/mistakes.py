"""What is wrong with a value, for a reader who does not read the file's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay.domain.settings import Language

_NUMBER: Final = (
    "не похоже на номер: нужен номер с кодом страны или его начало со звёздочкой,"
    " +79001234567 или +7900555*"
)
_CHANNEL: Final = "такого канала в файле нет"
_LINE: Final = "нужна одна строка обычного текста"

_RUSSIAN: Final[Mapping[str, str]] = {
    "blacklist": _NUMBER,
    "default_channel": _CHANNEL,
    "title_in_messages": _CHANNEL,
    "channels": "такого канала в файле нет, или это «по умолчанию», а канал по умолчанию не выбран",
    "import_sent_from_phone": "для этого в файле нужен бот: amocrm.chats.bot_id",
    "error_label": _LINE,
    "name": _LINE,
    "signature": "нужен обычный текст, без управляющих знаков",
    "sections": "такого раздела нет",
}
"""By the last word of the path; what has none is told in the file's own words."""


def mistake_for(path: str, message: str, language: Language) -> str:
    """What is wrong at a path such as ``settings.blacklist.2`` or ``users.5.channels``."""
    words = [word for word in path.split(".") if not word.isdigit()]
    known = _RUSSIAN.get(words[-1]) if words and language is Language.RU else None
    return message if known is None else known
