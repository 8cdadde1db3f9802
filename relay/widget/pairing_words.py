"""Why a number was not linked, for the administrator before the page, and what he can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay.domain.settings import Language

_RU: Final[Mapping[str, str]] = {
    "timeout": "Код никто не принял вовремя. Начните заново, когда телефон будет под рукой.",
    "lost": "Связь с WhatsApp прервалась, прежде чем код приняли. Начните заново.",
    "unreachable": "WhatsApp недоступен с сервера: {about}. Проверьте там сеть и `proxy` канала.",
    "outdated": "WhatsApp больше не принимает эту версию. Обновите реле и начните заново.",
    "passkey": "Для этого аккаунта WhatsApp требует ключ доступа (passkey), а у реле его нет: ни"
    " QR-код, ни буквы не помогут. Попробуйте в другой день или подключите номер через Cloud API"
    " (coexistence в WhatsApp Business).",
    "old_phone": "WhatsApp на телефоне слишком старый. Обновите его и начните заново.",
    "wrong_number": "Это был {about}, а в файле у канала записан другой номер (`phone`)."
    " Устройство снова отключено, ничего не подключено. Возьмите другой телефон или исправьте"
    " файл.",
    "wrong_number_stays": "Это был {about}, а в файле у канала записан другой номер (`phone`)."
    " Здесь ничего не подключено, но устройство осталось на том телефоне, уберите его: WhatsApp →"
    " Настройки → Связанные устройства.",
    "not_on_whatsapp": "WhatsApp не знает номера {about}. Нужен номер телефона, на котором введут"
    " буквы, с кодом страны.",
    "too_many": "WhatsApp больше не даёт букв: слишком много попыток. Подождите час или возьмите"
    " QR-код.",
    "refused": "WhatsApp отказал: {about}. Попробуйте позже.",
    "never_connected": "Телефон принял код, но WhatsApp не впустил новое устройство. Если телефон"
    " его показывает, уберите его (WhatsApp → Настройки → Связанные устройства) и начните заново.",
    "interrupted": "Прервано. Если телефон показывает новое устройство, уберите его: WhatsApp →"
    " Настройки → Связанные устройства.",
    "broken": "Сбой на сервере: {about}. Ничего не подключено.",
    "linked_already": "К каналу уже подключён {about}. Чтобы сменить номер, сначала отключите этот"
    " на сервере: relay unpair.",
    "busy": "Этот канал сейчас подключает кто-то другой, например командой relay pair на сервере.",
    "somebody_else": "Этот канал сейчас подключает другой администратор.",
    "too_many_pairings": "Сейчас подключают слишком много номеров. Подождите.",
    "other_number": "В файле у канала записан другой номер: {about}. Укажите его или исправьте"
    " файл.",
    "no_channel": "Канала {about} нет, или его номер подключают не так.",
    "no_number": "«{about}» не похоже на номер телефона. Нужен номер с кодом страны.",
    "not_here": "Здесь номера не подключают.",
    "internal": "Внутренняя ошибка, она записана в журнал реле. Подключите номер командой relay"
    " pair.",
}

_EN: Final[Mapping[str, str]] = {
    "timeout": "Nobody took a code in time. Begin again when the phone is at hand.",
    "lost": "The connection to WhatsApp was lost before a code was taken. Begin again.",
    "unreachable": "The server cannot reach WhatsApp: {about}. Check its network and the channel's"
    " `proxy`.",
    "outdated": "WhatsApp no longer accepts this version. Upgrade the relay and begin again.",
    "passkey": "WhatsApp demands a passkey of this account, and the relay has none: neither the QR"
    " code nor letters will do. Try again another day, or connect the number through the Cloud API"
    " (coexistence in WhatsApp Business).",
    "old_phone": "The WhatsApp on the phone is too old. Update it and begin again.",
    "wrong_number": "That was {about}, but the file names another number for the channel"
    " (`phone`). The device was logged out again, and nothing is linked. Take the other phone, or"
    " change the file.",
    "wrong_number_stays": "That was {about}, but the file names another number for the channel"
    " (`phone`). Nothing is linked here, but the device stays on that phone, remove it: WhatsApp →"
    " Settings → Linked devices.",
    "not_on_whatsapp": "WhatsApp knows no account {about}. Give the number of the phone that is to"
    " type the letters, with its country code.",
    "too_many": "WhatsApp gives no more letters: too many attempts. Wait an hour, or take the QR"
    " code.",
    "refused": "WhatsApp refused: {about}. Try again later.",
    "never_connected": "The phone took the code, but WhatsApp did not let the new device in. If"
    " the phone lists it, remove it (WhatsApp → Settings → Linked devices) and begin again.",
    "interrupted": "Interrupted. If the phone lists a new device, remove it: WhatsApp → Settings →"
    " Linked devices.",
    "broken": "Something failed on the server: {about}. Nothing is linked.",
    "linked_already": "{about} is linked to this channel already. To link another number, let go"
    " of it first, on the server: relay unpair.",
    "busy": "Somebody else is linking this channel now, perhaps by relay pair on the server.",
    "somebody_else": "Another administrator is linking this channel now.",
    "too_many_pairings": "Too many numbers are being linked now. Wait a little.",
    "other_number": "The file names another number for the channel: {about}. Give that one, or"
    " change the file.",
    "no_channel": "There is no channel {about}, or its number is not linked in this way.",
    "no_number": "“{about}” is no telephone number. It is needed with its country code.",
    "not_here": "Numbers are not linked here.",
    "internal": "Internal error; the relay's log has it. Link the number with relay pair.",
}

_TEXTS: Final = {Language.RU: _RU, Language.EN: _EN}
_OTHER: Final = {
    Language.RU: "Номер не подключён. Реле говорит: {about}",
    Language.EN: "The number is not linked. The relay says: {about}",
}

KNOWN: Final = _RU.keys()
"""The reasons that have words of their own."""


def words_for(why: str, about: str, language: Language) -> str:
    """Why it was not linked, as its reader sees it."""
    return _TEXTS[language].get(why, _OTHER[language]).format(about=about)
