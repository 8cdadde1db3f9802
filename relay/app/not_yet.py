"""What the file may say but this version does not do yet. Each row goes when its work lands."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from relay.config.channel import CloudApi
from relay.config.model import Config, MessageSettings

_DEFAULTS = MessageSettings()

_ROWS: tuple[tuple[str, Callable[[Config], bool]], ...] = (
    ("settings.title_in_messages", lambda c: bool(c.settings.title_in_messages)),
    ("settings.blacklist", lambda c: bool(c.settings.blacklist)),
    (
        "settings.error_label",
        lambda c: c.settings.error_label != _DEFAULTS.error_label,
    ),
)


def not_yet(config: Config) -> Iterator[str]:
    """One sentence for each key that is set but does not act."""
    for key, is_set in _ROWS:
        if is_set(config):
            yield _row(key)
    for id_, channel in config.channels.items():
        if isinstance(channel, CloudApi):
            yield f"channels.{id_}.engine: cloud_api cannot be run by this version yet"


def _row(key: str) -> str:
    return f"{key}: understood, but it does not act in this version yet"
