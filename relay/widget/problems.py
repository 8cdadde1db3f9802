"""What the widget is told when a call fails: ``application/problem+json``, in two languages."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from relay.domain.settings import Language

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]


class Trouble(enum.StrEnum):
    """Why a call was not carried out; ``code`` in the answer, for the page to act on."""

    TOKEN = "token_refused"  # noqa: S105 - the name of a trouble
    ORIGIN = "origin_refused"
    RIGHTS = "forbidden"
    NOT_CONFIGURED = "not_configured"
    CHECK_OFF = "phone_check_off"
    TOO_OFTEN = "too_often"
    TOO_LARGE = "too_large"
    BAD_REQUEST = "bad_request"
    NOT_YET = "not_yet"
    DISK = "disk_refused"
    INTERNAL = "internal"
    STALE = "stale"
    INVALID = "invalid"
    NOT_WRITABLE = "not_writable"
    PAIRING = "pairing_failed"
    GONE = "gone"


_TEXTS: Final[Mapping[Trouble, tuple[int, str, str]]] = {
    Trouble.TOKEN: (
        401,
        "amoCRM не подтвердила, кто вы. Обновите страницу.",
        "amoCRM has not confirmed who you are. Reload the page.",
    ),
    Trouble.ORIGIN: (
        403,
        "Сюда можно обращаться только со страниц своего аккаунта amoCRM.",
        "Only pages of the relay's own amoCRM account may call here.",
    ),
    Trouble.RIGHTS: (
        403,
        "Этот раздел вам не открыт. Попросите администратора.",
        "This section is not open to you. Ask an administrator.",
    ),
    Trouble.NOT_CONFIGURED: (
        404,
        "Виджет не настроен: в файле нет amocrm.integration.",
        "The widget is not set up: the file has no amocrm.integration.",
    ),
    Trouble.CHECK_OFF: (
        404,
        "Проверка номеров выключена в настройках.",
        "The check of numbers is switched off in the settings.",
    ),
    Trouble.TOO_OFTEN: (
        429,
        "Слишком много запросов. Подождите немного.",
        "Too many requests. Wait a little.",
    ),
    Trouble.TOO_LARGE: (413, "Слишком много за один раз.", "Too much at once."),
    Trouble.BAD_REQUEST: (400, "Запрос непонятен.", "The request makes no sense."),
    Trouble.NOT_YET: (
        503,
        "Связь с amoCRM ещё не установлена. Попробуйте через минуту.",
        "amoCRM has not been reached yet. Try again in a minute.",
    ),
    Trouble.DISK: (
        503,
        "Диск не принимает записи. Сообщите администратору.",
        "The disk refuses to be written. Tell the administrator.",
    ),
    Trouble.INTERNAL: (
        500,
        "Внутренняя ошибка. Попробуйте ещё раз или сообщите администратору.",
        "Internal error. Try again, or tell the administrator.",
    ),
    Trouble.STALE: (
        409,
        "Настройки тем временем изменил кто-то другой. Ничего не записано: сравните и повторите.",
        "Somebody else has changed the settings meanwhile. Nothing was written: compare and retry.",
    ),
    Trouble.INVALID: (
        422,
        "Так записать нельзя: в настройках ошибка. Файл не изменён.",
        "This cannot be written: it contains a mistake. The file has not changed.",
    ),
    Trouble.NOT_WRITABLE: (
        503,
        "Служба не может записать файл настроек. Выполните на сервере показанную команду.",
        "The service may not write the file. Run the shown command on the server.",
    ),
    Trouble.PAIRING: (
        409,
        "Сейчас подключить номер не удаётся.",
        "The number cannot be linked now.",
    ),
    Trouble.GONE: (
        404,
        "Этого больше нет. Начните заново.",
        "This is no longer there. Begin again.",
    ),
}


class ProblemError(Exception):
    """A call is not carried out. ``detail`` adds to the text; ``more`` are keys of the answer.

    ``retry_after_s`` tells when to come back.
    """

    def __init__(
        self,
        trouble: Trouble,
        detail: str | None = None,
        *,
        retry_after_s: int | None = None,
        more: Mapping[str, JSON] | None = None,
    ) -> None:
        super().__init__(detail or trouble.value)
        self.trouble = trouble
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.more = dict(more or {})

    @property
    def status(self) -> int:
        """The answer's status."""
        return _TEXTS[self.trouble][0]

    def body(self, language: Language) -> dict[str, JSON]:
        """The answer, in that language."""
        status, russian, english = _TEXTS[self.trouble]
        said: dict[str, JSON] = {
            "type": "about:blank",
            "title": russian if language is Language.RU else english,
            "status": status,
            "code": self.trouble.value,
        }
        said["detail"] = self.detail if self.detail is not None else said["title"]
        return said | self.more
