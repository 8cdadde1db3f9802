"""The YAML file of the demonstration: its first text, and saving it the way an editor does."""

from __future__ import annotations

import os
from pathlib import Path

from relay.config.errors import ConfigErrors
from relay.config.load import parse
from relay.config.secret import SecretSource
from relay.demo.pretended_amocrm import Identity

LARGEST = 64 * 1024
"""Bytes that the page may save."""

_TEXT = """\
# Настоящий файл настроек реле. Оно следит за ним: сохраните, и новое действует сразу,
# без перезапуска и без потери сообщений. Файл с ошибками не меняет ничего.

language: ru                # ru | en: на каком языке менеджер видит причину неудачи

amocrm:
  account: {crm}            # понарошку: на этом же компьютере
  # на сервере вместо секретов стоит !secret ИМЯ
  token: {token}
  integration:              # для кнопки WhatsApp в карточке и страницы настроек
    id: {integration_id}
    secret: {integration_secret}
  chats:
    channel_id: {channel_id}
    # испортите знак: amoCRM откажет реле, а сообщения подождут
    secret: {secret}
    # от имени бота в amoCRM видно то, что набрано на телефоне
    bot_id: {bot_id}
    url: {crm}

server:
  listen: 127.0.0.1:{hooks}           # сюда amoCRM шлёт хуки
  public_url: {public}  # на сервере: https://relay.example.com
  admin_listen: 127.0.0.1:{admin}     # /healthz и /metrics

storage:
  directory: storage        # журнал и очереди

channels:                   # по одному номеру WhatsApp
  sales:
    title: Отдел продаж
    engine: linked_device
    pacing:  # сколько раз можно писать тем, кто сам ещё не писал
      per_minute: 1000  # на деле 2: чтобы номер не заблокировали
      per_hour: 1000
      per_day: 1000
  support:
    title: Поддержка
    engine: linked_device
    pacing:
      per_minute: 1000
      per_hour: 1000
      per_day: 1000
  # vip:                    # уберите # в трёх строках: появится третий канал
  #   title: Для своих
  #   engine: linked_device

delivery:
  give_up_after:
    amocrm: 24h
    whatsapp: 1h            # поставьте 10s и отключите канал от WhatsApp

media:
  limit: 16MB               # о файле больше этого скажет строка в чате

settings:
  default_channel: sales    # с какого номера пишут первыми: sales | support
  import_sent_from_phone: true   # набранное на телефоне видно в amoCRM, с пометкой
  title_in_messages: [support]   # каналы, чьё название открывает текст в amoCRM
  blacklist: []             # "+79000000002" или начало номера: "+7900*"
  phone_8_to_7: true        # 8… в карточке становится +7…, когда клиент напишет
  error_replies: true       # номера нет в WhatsApp: об этом скажет и чат

users:                      # кто из пользователей amoCRM и через что пишет
  17:
    name: Ольга
    channels: [default, sales, support]   # первый — тот, с которого пишут первыми
    signature: Ольга, отдел продаж   # это видит клиент, а amoCRM нет
  18:
    name: Игорь
    channels: [support]     # в чат отдела продаж ответит через поддержку
    signature: Игорь, служба поддержки
  # everyone_else:          # уберите # в двух строках: напишет и тот, кого здесь нет
  #   channels: [support]
"""

_COMMENTS_AT = 38


def first_text(identity: Identity, *, crm: str, hooks: int, admin: int) -> str:
    """The file as the demonstration begins. ``hooks`` and ``admin`` are ports."""
    text = _TEXT.format(
        crm=crm,
        public=public_url(hooks),
        token=identity.token,
        integration_id=identity.integration_id,
        integration_secret=identity.integration_secret,
        channel_id=identity.channel_id,
        secret=identity.channel_secret,
        bot_id=identity.bot.id,
        hooks=hooks,
        admin=admin,
    )
    return "\n".join(map(_aligned, text.split("\n")))


def public_url(hooks: int) -> str:
    """Where the relay is reached from a browser: no proxy stands before it here."""
    return f"http://127.0.0.1:{hooks}"


def _aligned(line: str) -> str:
    """The line with its remark, if it has one behind a value, where all remarks begin."""
    value, mark, remark = line.partition(" # ")
    if not mark or not value.strip():
        return line
    return f"{value.rstrip().ljust(_COMMENTS_AT)}  # {remark}"


def save(path: Path, text: str) -> None:
    """Write beside, then rename: whoever reads sees the old text or the new one, never half."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)  # noqa: PTH105  pathlib's does the same under a vaguer name


def titles(text: str, path: Path) -> dict[str, str] | None:
    """What the channels are called in the text; None if it has mistakes."""
    try:
        config = parse(text, path, SecretSource.of(os.environ, required=False)).config
    except ConfigErrors:
        return None
    return {id_: channel.title for id_, channel in config.channels.items()}
