"""What stands in a chat in place of a medium whose bytes are not there, with the reason."""

from __future__ import annotations

from typing import Final

from relay.amocrm.placeholders import word_for
from relay.domain.contents import Loss, Lost, Media, Remote
from relay.domain.losses import quoted_name, size_words
from relay.domain.settings import Language

ROUND: Final = "video_note"

_REASONS: Final[dict[Loss, dict[Language, str]]] = {
    Loss.TOO_LARGE: {
        Language.RU: "больше допустимых {limit}. Откройте на телефоне.",
        Language.EN: "larger than {limit}. Open it on the phone.",
    },
    Loss.GONE: {
        Language.RU: "срок хранения в WhatsApp истёк. Попросите клиента прислать ещё раз.",
        Language.EN: "expired on WhatsApp. Ask the client to send it again.",
    },
    Loss.EMPTY: {
        Language.RU: "пустой файл. Попросите клиента прислать ещё раз.",
        Language.EN: "an empty file. Ask the client to send it again.",
    },
    Loss.LATE: {
        Language.RU: "не удалось загрузить. Откройте на телефоне.",
        Language.EN: "could not be loaded. Open it on the phone.",
    },
}

_COMING: Final = {
    Language.RU: "ещё загружается и придёт отдельным сообщением.",
    Language.EN: "still loading; it will follow as a message of its own.",
}


def missing_words(media: Media, at: Lost | Remote, language: Language) -> str:
    """``Документ «a.pdf» (3 МБ): больше допустимых …``: one line."""
    what = word_for(ROUND if media.round else media.what.value, language)
    size = f" ({size_words(media.size, language)})" if media.size else ""
    if isinstance(at, Remote):
        reason = _COMING[language]
    else:
        limit = "" if at.limit is None else size_words(at.limit, language)
        reason = _REASONS[at.why][language].format(limit=limit)
    return f"{what}{quoted_name(media, language)}{size}: {reason}"
