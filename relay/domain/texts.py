"""The texts the relay itself puts into a chat or shows a manager: one catalogue, two languages.

Each reason says what happened and what to do next, in both languages: there is no way to write one
down without. ``{channel}`` and ``{wait}`` stand for the channel's title and for how long to wait.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from relay.domain.retry import HOUR, MINUTE
from relay.domain.settings import Language


class Reason(enum.StrEnum):
    """Why a message did not reach its client, for a manager's eyes."""

    NOT_ON_WHATSAPP = "not_on_whatsapp"
    REFUSED = "refused_by_whatsapp"
    EXPIRED = "expired"
    OUTCOME_UNKNOWN = "outcome_unknown"
    COLD_LIMIT = "cold_limit"
    COLD_CLOSED = "cold_closed"
    NO_CHANNEL = "no_channel"
    NEVER_PAIRED = "never_paired"
    NO_PHONE = "no_phone"
    UNSUPPORTED = "unsupported"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Told:
    """A reason in both languages, each a pair: what happened, and what to do next."""

    ru: tuple[str, str]
    en: tuple[str, str]

    def text(self, language: Language) -> str:
        """Both sentences."""
        return " ".join(self.ru if language is Language.RU else self.en)


SENT_FROM_PHONE: Final = {
    Language.RU: "Отправлено с телефона",
    Language.EN: "Sent from the phone",
}
"""The mark of what was typed on the owner's handset; it stands in brackets."""

_REASONS: Final[dict[Reason, Told]] = {
    Reason.NOT_ON_WHATSAPP: Told(
        ru=("Номер не зарегистрирован в WhatsApp.", "Проверьте номер или позвоните клиенту."),
        en=("The number is not on WhatsApp.", "Check the number or call the client."),
    ),
    Reason.REFUSED: Told(
        ru=("WhatsApp отказался принять сообщение.", "Отправьте его ещё раз позже."),
        en=("WhatsApp refused the message.", "Send it again later."),
    ),
    Reason.EXPIRED: Told(
        ru=(
            "Сообщение не удалось отправить вовремя: канал «{channel}» был недоступен.",
            "Проверьте телефон канала и отправьте ещё раз.",
        ),
        en=(
            "The message could not be sent in time: channel “{channel}” was unavailable.",
            "Check the channel's phone and send it again.",
        ),
    ),
    Reason.OUTCOME_UNKNOWN: Told(
        ru=(
            "Неизвестно, дошло ли сообщение: связь прервалась во время отправки.",
            "Спросите клиента, прежде чем отправлять ещё раз.",
        ),
        en=(
            "It is unknown whether the message arrived: the connection broke while it was sent.",
            "Ask the client before sending it again.",
        ),
    ),
    Reason.COLD_LIMIT: Told(
        ru=(
            (
                "Сообщение не отправлено: канал «{channel}» уже начал столько новых "
                "разговоров, сколько можно без риска блокировки номера."
            ),
            "Отправьте снова {wait} или позвоните клиенту.",
        ),
        en=(
            (
                "The message was not sent: channel “{channel}” has begun as many new "
                "conversations as it may without risking a ban."
            ),
            "Send it again {wait}, or call the client.",
        ),
    ),
    Reason.COLD_CLOSED: Told(
        ru=(
            (
                "Сообщение не отправлено: WhatsApp временно не даёт каналу «{channel}» писать "
                "тем, кто ему ещё не писал."
            ),
            "Отправьте снова {wait} или позвоните клиенту.",
        ),
        en=(
            (
                "The message was not sent: for now WhatsApp does not let channel “{channel}” "
                "write to people who have not written to it."
            ),
            "Send it again {wait}, or call the client.",
        ),
    ),
    Reason.NO_CHANNEL: Told(
        ru=(
            "Для этого чата не выбран канал WhatsApp.",
            "Попросите администратора указать default_channel.",
        ),
        en=(
            "No WhatsApp channel is chosen for this chat.",
            "Ask the administrator to set default_channel.",
        ),
    ),
    Reason.NEVER_PAIRED: Told(
        ru=(
            "Канал «{channel}» ещё не подключён к WhatsApp.",
            "Попросите администратора подключить его.",
        ),
        en=(
            "Channel “{channel}” is not linked to WhatsApp yet.",
            "Ask the administrator to link it.",
        ),
    ),
    Reason.NO_PHONE: Told(
        ru=("Непонятно, на какой номер отправить.", "Проверьте телефон в карточке."),
        en=("It is unclear which number to send to.", "Check the phone in the card."),
    ),
    Reason.UNSUPPORTED: Told(
        ru=("Сообщения такого вида пока не передаются в WhatsApp.", "Отправьте текст."),
        en=("Messages of this kind cannot be sent to WhatsApp yet.", "Send text."),
    ),
    Reason.INTERNAL: Told(
        ru=("Внутренняя ошибка.", "Отправьте сообщение ещё раз или сообщите администратору."),
        en=("Internal error.", "Send the message again or tell the administrator."),
    ),
}


def reason_text(reason: Reason, language: Language, *, channel: str = "", wait_ms: int = 0) -> str:
    """What a manager is told.

    ``channel`` is the channel's title and ``wait_ms`` how long to wait, where the text names them.
    """
    return _REASONS[reason].text(language).format(channel=channel, wait=_wait(wait_ms, language))


def _wait(wait_ms: int, language: Language) -> str:
    """``in 40 min``, ``in 3 h``: rounded up, for he is asked to come back after that."""
    minutes = max(1, -(-wait_ms // MINUTE))
    hours = -(-wait_ms // HOUR)
    words = {Language.RU: ("через", "мин", "ч"), Language.EN: ("in", "min", "h")}
    in_, min_, h = words[language]
    return f"{in_} {minutes} {min_}" if minutes < 100 else f"{in_} {hours} {h}"
