"""Puts a new configuration into force: what is new is built first, then only what changed moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from relay.app.channels import Channels
from relay.app.interpreter import without_collector
from relay.app.live import Live, settings_of
from relay.config.changes import ChannelChanges, channel_changes, describe
from relay.config.channel import Channel
from relay.config.model import Config
from relay.delivery.ports import Engine
from relay.domain.ids import ChannelId
from relay.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class _News:
    """What is different about another configuration, and what the rules make of it."""

    told: list[str]
    channels: ChannelChanges
    settings: Settings


def _news(before: Config, after: Config) -> _News | None:
    """What there is to take, None if nothing. Large lists take their time: not for the loop."""
    if after == before:
        return None
    with without_collector():
        return _News(describe(before, after), channel_changes(before, after), settings_of(after))


class Taker:
    """Takes configurations into force, one at a time.

    ``engine`` makes a channel's engine and touches nothing that runs; ``on_credentials`` is called
    when those for amoCRM have changed.
    """

    def __init__(
        self,
        live: Live,
        channels: Channels,
        engine: Callable[[ChannelId, Channel], Engine],
        on_credentials: Callable[[], Awaitable[None]],
    ) -> None:
        self._live = live
        self._channels = channels
        self._make = engine
        self._on_credentials = on_credentials
        self._owner: asyncio.TaskGroup | None = None

    def start_all(self, owner: asyncio.TaskGroup) -> None:
        """Start every channel of the file; ``owner`` owns their tasks, also those to come."""
        self._owner = owner
        for id_ in self._live.config.channels:
            self._start(id_, self._engine(self._live.config, id_))

    async def take(self, config: Config) -> list[str]:
        """Take it into force; the changes in words, none if there are none."""
        news = await asyncio.to_thread(_news, self._live.config, config)
        if news is None:
            return []
        moved = news.channels
        engines = {
            id_: self._engine(config, ChannelId(id_)) for id_ in (*moved.added, *moved.restarted)
        }
        # From here on nothing can fail.
        credentials = self._live.credentials.current
        self._live.take(config, news.settings)
        if self._live.credentials.current != credentials:
            await self._on_credentials()
        for id_ in (*moved.removed, *moved.restarted):
            await self._channels.remove(ChannelId(id_))
        for id_, engine in engines.items():
            self._start(ChannelId(id_), engine)
        return news.told

    def _engine(self, config: Config, id_: ChannelId) -> Engine:
        return self._make(id_, config.channels[id_])

    def _start(self, id_: ChannelId, engine: Engine) -> None:
        if self._owner is None:
            raise RuntimeError("channels are started before they may be changed")
        self._channels.add(id_, engine)
        self._channels.start(id_, self._owner)
