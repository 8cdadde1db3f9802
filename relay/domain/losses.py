"""What a manager is told of a file that could not be had from amoCRM, and sizes in words."""

from __future__ import annotations

from relay.domain.contents import Loss, Lost, Media
from relay.domain.file_names import tidy_name
from relay.domain.settings import Language

_REFUSALS: dict[Loss, dict[Language, str]] = {
    Loss.TOO_LARGE: {
        Language.RU: (
            "Файл{name} больше допустимых {limit}. Отправьте файл поменьше или ссылку на него."
        ),
        Language.EN: "The file{name} is larger than {limit}. Send a smaller one, or a link to it.",
    },
    Loss.GONE: {
        Language.RU: "Файла{name} больше нет в amoCRM. Прикрепите его и отправьте ещё раз.",
        Language.EN: "The file{name} is not in amoCRM any more. Attach it and send it again.",
    },
    Loss.EMPTY: {
        Language.RU: "Файл{name} пуст. Прикрепите его ещё раз и отправьте.",
        Language.EN: "The file{name} is empty. Attach it again and send it.",
    },
    Loss.LATE: {
        Language.RU: "Не удалось получить файл{name} из amoCRM. Отправьте его ещё раз.",
        Language.EN: "The file{name} could not be had from amoCRM. Send it again.",
    },
}

_QUOTED = {Language.RU: " «{}»", Language.EN: " “{}”"}
_UNITS = {
    Language.RU: ("байт", "КБ", "МБ", "ГБ"),
    Language.EN: ("bytes", "KB", "MB", "GB"),
}


def refusal_words(media: Media, lost: Lost, language: Language) -> str:
    """Why a manager's file did not go out, and what to do next."""
    limit = "" if lost.limit is None else size_words(lost.limit, language)
    name = quoted_name(media, language)
    return _REFUSALS[lost.why][language].format(name=name, limit=limit)


def quoted_name(media: Media, language: Language) -> str:
    """The file's name in quotation marks, with a space before it; empty if it has none."""
    name = tidy_name(media.name)
    return _QUOTED[language].format(name) if name else ""


def size_words(size: int, language: Language) -> str:
    """A number of bytes as people say it: ``1.4 MB``, decimal units, at most one decimal."""
    amount, step = float(size), 0
    while amount >= 999.5 and step < 3:
        amount, step = amount / 1000, step + 1
    text = f"{amount:.0f}" if step == 0 or amount >= 99.95 else f"{amount:.1f}".removesuffix(".0")
    if language is Language.RU:
        text = text.replace(".", ",")
    return f"{text} {_UNITS[language][step]}"
