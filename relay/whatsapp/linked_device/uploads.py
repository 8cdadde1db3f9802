"""Makes messages of what managers write, and brings their files to the media host before.

A file is brought before its message is begun: until then a kill, or a failure, costs nothing, and
it takes a while, for which other messages do not wait. What was brought is remembered, so that a
message that waits for its turn, or is tried again, does not bring its file twice.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from pathlib import Path

import structlog

from relay.delivery.ports import KeptFile, MediaGoneError
from relay.domain.bodies import Reply
from relay.domain.contents import Contacts, Kept, Location, Media, Text
from relay.domain.ids import CrmMessageId
from relay.domain.outbox import Dead, Retry
from relay.domain.reasons import Reason
from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.composing import PURPOSES, as_sent, media_message, words_message
from relay.whatsapp.linked_device.media_errors import AccessError, HostError
from relay.whatsapp.linked_device.media_host import MediaHost
from relay.whatsapp.linked_device.sealing import measure

_KEY_BYTES = 32
_ABREAST = 2  # files on their way at once: each takes its share of the line
_MOST_REMEMBERED = 256
_REMEMBER_S = 12 * 3600.0  # the host keeps what nobody was sent for days; nobody knows how many
_NO_ACCESS_MS = 60_000

log = structlog.get_logger(__name__)


class Uploads:
    """The messages of one channel on their way out."""

    def __init__(self, kept: KeptFile, host: MediaHost) -> None:
        self._kept = kept
        self._host = host
        self._room = asyncio.Semaphore(_ABREAST)
        self._ready: OrderedDict[CrmMessageId, tuple[float, bytes]] = OrderedDict()

    async def message(self, reply: Reply, client: Client | None) -> bytes | Retry | Dead:
        """The message for the library, its file brought; or why there is none. Nothing is sent."""
        match reply.content:
            case Text() | Location() | Contacts() as words:
                return words_message(words)
            case Media() as media:
                return self._remembered(reply.crm_id) or await self._bring(reply, media, client)
            case other:
                return Dead(f"cannot send {other.kind}", tell=Reason.UNSUPPORTED)

    def forget(self, reply: Reply) -> None:
        """The message is sent."""
        self._ready.pop(reply.crm_id, None)

    def _remembered(self, id_: CrmMessageId) -> bytes | None:
        made_s, message = self._ready.get(id_, (0.0, b""))
        if message and time.monotonic() - made_s < _REMEMBER_S:
            return message
        return None

    async def _bring(
        self, reply: Reply, media: Media, client: Client | None
    ) -> bytes | Retry | Dead:
        if client is None:
            return Retry("not sent: the channel is not connected")
        try:
            path = await asyncio.to_thread(self._path, media)
            async with self._room:
                message = await self._brought(path, as_sent(media), client)
        except (MediaGoneError, FileNotFoundError):
            return Dead("the file to be sent is not kept any more", tell=Reason.INTERNAL)
        except AccessError as error:
            return Retry(f"not sent: {error}", after_ms=_NO_ACCESS_MS)
        except (HostError, OSError) as error:
            return Retry(f"not sent: the file was not brought: {error}")
        self._ready[reply.crm_id] = time.monotonic(), message
        while len(self._ready) > _MOST_REMEMBERED:
            self._ready.popitem(last=False)
        return message

    def _path(self, media: Media) -> Path:
        if not isinstance(media.at, Kept):
            raise MediaGoneError("the file was never kept")
        return self._kept(media.at.name)

    async def _brought(self, path: Path, media: Media, client: Client) -> bytes:
        access = await client.calls.media_access()
        if access is None:
            raise AccessError("WhatsApp does not tell where files go")
        key, purpose = secrets.token_bytes(_KEY_BYTES), PURPOSES[media.what]
        seal = await asyncio.to_thread(measure, path, key, purpose)
        begun_s = time.monotonic()
        sealed = await self._host.bring(path, purpose, seal, access)
        log.debug(
            "file_brought", size=seal.size, elapsed_ms=round((time.monotonic() - begun_s) * 1000)
        )
        return media_message(media, sealed, seal.size, int(time.time()))
