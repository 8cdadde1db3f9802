"""What the file may say but this version does not do yet."""

from __future__ import annotations

from collections.abc import Iterator

from relay.config.channel import CloudApi
from relay.config.model import Config


def not_yet(config: Config) -> Iterator[str]:
    """One sentence for each key that is set but does not act."""
    for id_, channel in config.channels.items():
        if isinstance(channel, CloudApi):
            yield f"channels.{id_}.engine: cloud_api cannot be run by this version yet"
