"""The parts that see to media: the store, who brings what, and the door where it is given out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from relay.amocrm.files import AmoCrmFiles, open_files_session
from relay.amocrm.hosts import Hosts
from relay.app.channels import Channels
from relay.app.clock import SteadyClock, SystemClock
from relay.app.live import Live
from relay.delivery.fetching import MediaCourier
from relay.delivery.media import MediaSource
from relay.delivery.ports import Clock
from relay.domain.bodies import Fetch
from relay.domain.outbox import Letter
from relay.media.finishing import Finishing
from relay.media.serving import media_routes
from relay.media.store import FileStore, open_files
from relay.media.throttle import SharedThrottle
from relay.media.tidying import Keeping, MediaTidying
from relay.sqlite.errors import StorageUnusableError


@dataclass(frozen=True, slots=True)
class OpenedMedia:
    """What media need that must be closed again: the store, and a session for downloads."""

    files: FileStore
    downloads: aiohttp.ClientSession
    hosts: Hosts


@asynccontextmanager
async def opened_media(live: Live, clock: Clock) -> AsyncIterator[OpenedMedia]:
    """Open them, in the storage directory of the file as it is now.

    Raises:
        StorageUnusableError: the directory cannot be used.
    """
    amocrm, directory = live.config.amocrm, live.config.storage.directory / "media"
    hosts = Hosts((amocrm.account, amocrm.chats_url))
    try:
        files = await asyncio.to_thread(
            open_files,
            directory,
            lambda: live.config.media.limit_bytes,
            SharedThrottle(clock),
        )
    except OSError as error:
        raise StorageUnusableError(f"{directory}: cannot be used: {error.strerror}") from error
    try:
        async with open_files_session(hosts) as downloads:
            yield OpenedMedia(files, downloads, hosts)
    finally:
        await asyncio.to_thread(files.close)


def public_link(public_url: str) -> Callable[[str], str]:
    """What makes the link of a kept file, by its name."""
    return lambda name: f"{public_url}/media/{name}"


class MediaParts:
    """Everything between a medium's sender and the place where the other side finds it."""

    def __init__(
        self,
        live: Live,
        opened: OpenedMedia,
        channels: Channels,
        *,
        clock: SystemClock,
        token: Callable[[], Awaitable[str]],
    ) -> None:
        self.files = files = opened.files
        self._live = live
        self._channels = channels
        self._amocrm = AmoCrmFiles(opened.downloads, opened.hosts, token, lambda: files.limit)
        self.courier = MediaCourier(files, self._source, Finishing(files), SteadyClock(clock))
        self.tidying = MediaTidying(files, clock, self._keeping)

    def routes(self) -> list[web.RouteDef]:
        """The routes of the public server."""
        return media_routes(self.files)

    def _source(self, letter: Letter) -> MediaSource | None:
        """The side it came from brings it."""
        body = letter.body
        if isinstance(body, Fetch) and body.towards == "whatsapp":
            return self._amocrm.fetch
        engine = self._channels.engine(letter.channel) if letter.channel else None
        return engine.fetch if engine else None

    def _keeping(self) -> Keeping:
        media = self._live.config.media
        return Keeping(media.keep_ms, media.quota_bytes)
