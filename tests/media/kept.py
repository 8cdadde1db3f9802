"""Files to be kept, and what is on disk of them."""

from __future__ import annotations

from relay.delivery.media import KeptMedia
from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.media.store import FileStore

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100)
LIMIT = 3_000_000


async def keep(
    store: FileStore,
    data: bytes = JPEG,
    name: str = "photo.jpg",
    towards: Destination = Destination.AMOCRM,
) -> KeptMedia:
    async with store.receive() as file:
        for start in range(0, len(data), 100_000):
            await file.write(data[start : start + 100_000])
        return await file.keep(Media(MediaKind.IMAGE, None, name=name), towards=towards)


def on_disk(store: FileStore) -> list[str]:
    return sorted(path.name for path in store.files.glob("*/*"))
