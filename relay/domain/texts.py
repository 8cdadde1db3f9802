"""The texts the relay itself puts into a chat or shows a manager: one catalogue, two languages.

Each reason says what happened and what to do next.
"""

from __future__ import annotations

import enum

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


_REASONS: dict[Reason, dict[Language, str]] = {
    Reason.NOT_ON_WHATSAPP: {
        Language.RU: "Номер не зарегистрирован в WhatsApp. Проверьте номер или позвоните клиенту.",
        Language.EN: "The number is not on WhatsApp. Check the number or call the client.",
    },
    Reason.REFUSED: {
        Language.RU: "WhatsApp отказался принять сообщение. Отправьте его ещё раз позже.",
        Language.EN: "WhatsApp refused the message. Send it again later.",
    },
    Reason.EXPIRED: {
        Language.RU: (
            "Сообщение не удалось отправить вовремя: канал «{channel}» был недоступен. "
            "Проверьте телефон канала и отправьте ещё раз."
        ),
        Language.EN: (
            "The message could not be sent in time: channel “{channel}” was unavailable. "
            "Check the channel's phone and send it again."
        ),
    },
    Reason.OUTCOME_UNKNOWN: {
        Language.RU: (
            "Неизвестно, дошло ли сообщение: связь прервалась во время отправки. "
            "Спросите клиента, прежде чем отправлять ещё раз."
        ),
        Language.EN: (
            "It is unknown whether the message arrived: the connection broke while it was sent. "
            "Ask the client before sending it again."
        ),
    },
    Reason.COLD_LIMIT: {
        Language.RU: (
            "Сообщение не отправлено: канал «{channel}» уже начал столько новых разговоров, "
            "сколько можно без риска блокировки номера. "
            "Отправьте снова {wait} или позвоните клиенту."
        ),
        Language.EN: (
            "The message was not sent: channel “{channel}” has begun as many new conversations as "
            "it may without risking a ban. Send it again {wait}, or call the client."
        ),
    },
    Reason.COLD_CLOSED: {
        Language.RU: (
            "Сообщение не отправлено: WhatsApp временно не даёт каналу «{channel}» писать тем, кто "
            "ему ещё не писал. Отправьте снова {wait} или позвоните клиенту."
        ),
        Language.EN: (
            "The message was not sent: for now WhatsApp does not let channel “{channel}” write to "
            "people who have not written to it. Send it again {wait}, or call the client."
        ),
    },
    Reason.NO_CHANNEL: {
        Language.RU: (
            "Для этого чата не выбран канал WhatsApp. "
            "Попросите администратора указать default_channel."
        ),
        Language.EN: (
            "No WhatsApp channel is chosen for this chat. "
            "Ask the administrator to set default_channel."
        ),
    },
    Reason.NEVER_PAIRED: {
        Language.RU: (
            "Канал «{channel}» ещё не подключён к WhatsApp. "
            "Попросите администратора подключить его."
        ),
        Language.EN: (
            "Channel “{channel}” is not linked to WhatsApp yet. Ask the administrator to link it."
        ),
    },
    Reason.NO_PHONE: {
        Language.RU: "Непонятно, на какой номер отправить. Проверьте телефон в карточке.",
        Language.EN: "It is unclear which number to send to. Check the phone in the card.",
    },
    Reason.UNSUPPORTED: {
        Language.RU: "Сообщения такого вида пока не передаются в WhatsApp. Отправьте текст.",
        Language.EN: "Messages of this kind cannot be sent to WhatsApp yet. Send text.",
    },
    Reason.INTERNAL: {
        Language.RU: "Внутренняя ошибка. Отправьте сообщение ещё раз или сообщите администратору.",
        Language.EN: "Internal error. Send the message again or tell the administrator.",
    },
}


def reason_text(reason: Reason, language: Language, *, channel: str = "", wait_ms: int = 0) -> str:
    """What a manager is told.

    ``channel`` is the channel's title and ``wait_ms`` how long to wait, where the text names them.
    """
    return _REASONS[reason][language].format(channel=channel, wait=_wait(wait_ms, language))


def _wait(wait_ms: int, language: Language) -> str:
    """``in 40 min``, ``in 3 h``: rounded up, for he is asked to come back after that."""
    minutes = max(1, -(-wait_ms // MINUTE))
    hours = -(-wait_ms // HOUR)
    words = {Language.RU: ("через", "мин", "ч"), Language.EN: ("in", "min", "h")}
    in_, min_, h = words[language]
    return f"{in_} {minutes} {min_}" if minutes < 100 else f"{in_} {hours} {h}"
