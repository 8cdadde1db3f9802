"""The texts the relay itself puts into a chat or shows a manager: one catalogue, two languages.

Each reason says what happened and what to do next, in both languages: there is no way to write one
down without. ``{channel}`` and ``{wait}`` stand for the channel's title and for how long to wait.
"""

from __future__ import annotations

from typing import Final

from relay.domain.reasons import Reason
from relay.domain.retry import HOUR, MINUTE
from relay.domain.settings import Language
from relay.domain.values import value


@value
class Told:
    """A reason in both languages, each a pair: what happened, and what to do next."""

    ru: tuple[str, str]
    en: tuple[str, str]

    def text(self, language: Language) -> str:
        """Both sentences."""
        return " ".join(self.ru if language is Language.RU else self.en)


DELETED: Final = {Language.RU: "Удалено", Language.EN: "Deleted"}
"""What stands before a message that its writer has taken back."""

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
            "Канал «{channel}» ещё не подключён к WhatsApp: отсканируйте QR.",
            "Потом отправьте сообщение ещё раз.",
        ),
        en=(
            "Channel “{channel}” is not linked to WhatsApp yet: scan the QR code.",
            "Then send the message again.",
        ),
    ),
    Reason.HIDDEN_PHONE: Told(
        ru=(
            "WhatsApp скрывает номер этого клиента: ответить может только канал, куда он написал.",
            "Добавьте номер в карточку или попросите ответить коллегу.",
        ),
        en=(
            "WhatsApp hides this client's number: only the channel he wrote to can answer him.",
            "Put his number into the card, or ask a colleague to answer.",
        ),
    ),
    Reason.MAY_NOT_SEND: Told(
        ru=(
            "Вам не разрешено писать в WhatsApp.",
            "Попросите администратора добавить вас в настройки (users).",
        ),
        en=(
            "You may not write to WhatsApp.",
            "Ask the administrator to add you to the settings (users).",
        ),
    ),
    Reason.AUTHOR_UNKNOWN: Told(
        ru=(
            "Сообщение не отправлено: не удалось узнать у amoCRM, кто его написал.",
            "Отправьте ещё раз; если повторится, попросите администратора проверить доступ.",
        ),
        en=(
            "The message was not sent: amoCRM did not tell who wrote it.",
            "Send it again; if that repeats, ask the administrator to check the access.",
        ),
    ),
    Reason.TOO_LONG: Told(
        ru=(
            "Сообщение длиннее, чем принимает WhatsApp: {limit} знаков вместе с подписью.",
            "Разделите его на части.",
        ),
        en=(
            "The message is longer than WhatsApp takes: {limit} characters with the signature.",
            "Split it.",
        ),
    ),
    Reason.UNPAIRED: Told(
        ru=(
            "Канал «{channel}» не подключён к WhatsApp: отсканируйте QR.",
            "Потом отправьте сообщение ещё раз.",
        ),
        en=(
            "Channel “{channel}” is not linked to WhatsApp: scan the QR code.",
            "Then send the message again.",
        ),
    ),
    Reason.LOGGED_OUT: Told(
        ru=(
            "Канал «{channel}» отключён: отсканируйте QR.",
            "Потом отправьте сообщение ещё раз.",
        ),
        en=(
            "Channel “{channel}” was logged out: scan the QR code.",
            "Then send the message again.",
        ),
    ),
    Reason.BANNED: Told(
        ru=(
            "WhatsApp заблокировал номер канала «{channel}».",
            "Позвоните клиенту или попросите написать коллегу с другим каналом.",
        ),
        en=(
            "WhatsApp has banned the number of channel “{channel}”.",
            "Call the client, or ask a colleague with another channel to write.",
        ),
    ),
    Reason.REPLACED: Told(
        ru=(
            "Канал «{channel}» открыт в другом месте и отсюда не пишет.",
            "Попросите администратора закрыть его там и отправьте ещё раз.",
        ),
        en=(
            "Channel “{channel}” is open somewhere else and cannot send from here.",
            "Ask the administrator to close it there, then send the message again.",
        ),
    ),
    Reason.OUTDATED: Told(
        ru=(
            "Канал «{channel}» не принят в WhatsApp: программа устарела.",
            "Попросите администратора обновить её и отправьте ещё раз.",
        ),
        en=(
            "Channel “{channel}” is not let into WhatsApp: the program is out of date.",
            "Ask the administrator to upgrade it, then send the message again.",
        ),
    ),
    Reason.NO_CONNECTION: Told(
        ru=(
            "Канал «{channel}» не смог вовремя связаться с WhatsApp.",
            "Проверьте, что телефон канала включён и в сети, и отправьте ещё раз.",
        ),
        en=(
            "Channel “{channel}” could not reach WhatsApp in time.",
            "Check that the channel's phone is on and online, then send the message again.",
        ),
    ),
    Reason.SESSION_FAILED: Told(
        ru=(
            "Канал «{channel}» неисправен.",
            "Сообщите администратору: причину скажет relay status.",
        ),
        en=(
            "Channel “{channel}” is out of order.",
            "Tell the administrator: relay status says why.",
        ),
    ),
    Reason.CHANNEL_REMOVED: Told(
        ru=(
            "Канала «{channel}», через который шло сообщение, больше нет в настройках.",
            "Отправьте ещё раз: сообщение пойдёт через другой канал.",
        ),
        en=(
            "Channel “{channel}”, which the message was to go through, has left the settings.",
            "Send it again: it will go through another channel.",
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
    Reason.FILE_MISSING: Told(
        ru=("Не удалось получить файл из amoCRM.", "Отправьте его ещё раз."),
        en=("The file could not be had from amoCRM.", "Send it again."),
    ),
    Reason.INTERNAL: Told(
        ru=("Внутренняя ошибка.", "Отправьте сообщение ещё раз или сообщите администратору."),
        en=("Internal error.", "Send the message again or tell the administrator."),
    ),
}


def reason_text(
    reason: Reason, language: Language, *, channel: str = "", wait_ms: int = 0, limit: int = 0
) -> str:
    """What a manager is told.

    ``channel`` is the channel's title, ``wait_ms`` how long to wait and ``limit`` how many
    characters are too many, where the text names them.
    """
    text, wait = _REASONS[reason].text(language), _wait(wait_ms, language)
    return text.format(channel=channel, wait=wait, limit=limit)


def _wait(wait_ms: int, language: Language) -> str:
    """``in 40 min``, ``in 3 h``: rounded up, for he is asked to come back after that."""
    minutes = max(1, -(-wait_ms // MINUTE))
    hours = -(-wait_ms // HOUR)
    words = {Language.RU: ("через", "мин", "ч"), Language.EN: ("in", "min", "h")}
    in_, min_, h = words[language]
    return f"{in_} {minutes} {min_}" if minutes < 100 else f"{in_} {hours} {h}"
