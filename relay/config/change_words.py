"""One changed value in an administrator's words: what each key of the file is called.

Never a secret, a whole telephone number or a text that clients read: those are only said to have
been added, removed or changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from relay.config.parts import Part, entries
from relay.config.secret import Secret
from relay.config.sizes import size_text
from relay.config.values import duration_text

AFTER_A_RESTART: Final = ("server", "storage")
"""Sections that act only after a restart."""

NOUNS: Final[dict[str, str]] = {
    "language": "language",
    "amocrm.account": "amoCRM's account",
    "amocrm.token": "amoCRM's token",
    "amocrm.oauth": "OAuth",
    "amocrm.oauth.client_id": "client id of OAuth",
    "amocrm.oauth.client_secret": "client secret of OAuth",
    "amocrm.oauth.redirect_uri": "redirect address of OAuth",
    "amocrm.integration": "integration of the widget",
    "amocrm.integration.id": "id of the widget's integration",
    "amocrm.integration.secret": "secret key of the widget's integration",
    "amocrm.chats.channel_id": "id of the chats channel",
    "amocrm.chats.secret": "secret key of the chats channel",
    "amocrm.chats.bot_id": "bot of the chats channel",
    "amocrm.chats.url": "address of the chats API",
    "server.listen": "address for hooks",
    "server.public_url": "public address",
    "server.admin_listen": "address for health and metrics",
    "storage.directory": "storage directory",
    "log.level": "log level",
    "log.format": "log format",
    "channels.*.title": "title",
    "channels.*.engine": "engine",
    "channels.*.phone": "number",
    "channels.*.proxy": "proxy",
    "channels.*.pipeline_id": "pipeline",
    "channels.*.import_history": "import of history",
    "channels.*.pacing.per_minute": "limit a minute to people who never wrote",
    "channels.*.pacing.per_hour": "limit an hour to people who never wrote",
    "channels.*.pacing.per_day": "limit a day to people who never wrote",
    "channels.*.pacing.typing": "typing before a message",
    "channels.*.phone_number_id": "Meta's id of the number",
    "channels.*.token": "token",
    "channels.*.app_secret": "app secret",
    "channels.*.verify_token": "verify token",
    "channels.*.url": "address of the Graph API",
    "delivery.give_up_after.amocrm": "time limit of messages into amoCRM",
    "delivery.give_up_after.whatsapp": "time limit of messages to WhatsApp",
    "delivery.keep_delivered": "how long finished messages are kept",
    "media.limit": "largest file",
    "media.quota": "room for all files",
    "media.keep": "how long files are kept",
    "settings.phone_check": "check of phone numbers",
    "settings.error_replies": "error replies",
    "settings.error_label": "label of error replies",
    "settings.default_channel": "default channel",
    "settings.import_sent_from_phone": "import of messages sent from the phone",
    "settings.title_in_messages": "title in messages",
    "settings.blacklist": "blacklist",
    "settings.phone_8_to_7": "8 to +7 in contacts",
    "settings.keep_deleted": "deleted messages stay readable",
    "users.*.name": "name",
    "users.*.channels": "channels",
    "users.*.signature": "signature",
    "users.*.sections": "sections",
}
"""What each key of the file is called in the list of changes."""

_HIDDEN: Final = frozenset({"channels.*.phone", "users.*.signature"})
_OFF_WITHOUT: Final = frozenset({"channels.*.import_history", "channels.*.pacing.typing"})

_SPECIAL: Final = frozenset(
    {
        "channels",
        "settings",
        "users",
        "channels.*.title",
        "settings.default_channel",
        "settings.title_in_messages",
        "settings.blacklist",
    }
)
"""What has sentences of its own, made where all of the file is at hand."""


def differences(path: str, old: Part, new: Part, label: str = "") -> Iterator[str]:
    """One line for each key that differs, down into sections, in the order of the model.

    ``path`` is that of the parts, with a star for an id and a dot at its end; ``label`` stands
    before each line, such as ``channel sales: ``.
    """
    for name, entry in entries(type(old)).items():
        before, after = getattr(old, name), getattr(new, name)
        key = path + entry.key
        if before == after or key in _SPECIAL:
            continue
        if isinstance(before, Part) and isinstance(after, Part):
            yield from differences(f"{key}.", before, after, label)
        elif name.endswith("_ms"):
            yield said(key, _duration(before), _duration(after), label)
        elif name.endswith("_bytes"):
            yield said(key, size_text(before), size_text(after), label)
        else:
            yield said(key, before, after, label)


def said(key: str, before: object, after: object, label: str = "") -> str:
    """How a key of two different values changed: ``log level is now debug (was info)``."""
    noun = label + NOUNS[key]
    later = "; takes effect after a restart" if key.startswith(AFTER_A_RESTART) else ""
    return f"{noun} {became(key, before, after)}{later}"


def became(key: str, before: object, after: object) -> str:
    """What happened to a value, without its name: ``changed``, ``turned on``, ``is now …``."""
    if isinstance(after, bool):
        return "turned on" if after else "turned off"
    if key in _HIDDEN or any(isinstance(value, Secret | Part) for value in (before, after)):
        return "added" if before is None else "removed" if after is None else "changed"
    nothing = "off" if key in _OFF_WITHOUT else "not set"
    was, now = (nothing if value is None else str(value) for value in (before, after))
    return f"is now {now} (was {was})"


def _duration(value: object) -> object:
    return duration_text(value) if isinstance(value, int) else value


def plus_minus(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """``+support, -sales``; empty if they hold the same words."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    added = [f"+{word}" for word in new if word not in old]
    return ", ".join([*added, *(f"-{word}" for word in old if word not in new)])


def counted(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """``+1 pattern, -3 numbers``; empty if they are the same, in whatever order."""
    if before == after:
        return ""
    old, new = _distinct(before), _distinct(after)
    return ", ".join([*_counts("+", new, old), *_counts("-", old, new)])


def _counts(sign: str, entries: set[str], others: set[str]) -> Iterator[str]:
    """How many numbers and patterns are in the one and not in the other."""
    numbers = patterns = 0
    for entry in entries:
        if entry not in others:
            patterns += entry.endswith("*")
            numbers += not entry.endswith("*")
    for count, word in ((numbers, "number"), (patterns, "pattern")):
        if count:
            yield f"{sign}{count} {word}{'' if count == 1 else 's'}"


def _distinct(entries: tuple[str, ...]) -> set[str]:
    """The set of them, entry by entry: the loop waits while ``set`` makes a large one at once."""
    found: set[str] = set()
    for entry in entries:
        found.add(entry)
    return found
