"""Keeps encrypted files as the media host does, and seals them as phones do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from tests.whatsapp_server.keys import derive
from tests.whatsapp_server.node import Node, node
from tests.whatsapp_server.protobuf import encode
from tests.whatsapp_server.ratchet import cbc_open, cbc_seal
from tests.whatsapp_server.tls import MEDIA_HOST

Kind = Literal["image", "video", "audio", "document", "sticker", "history"]

_INFO: dict[Kind, bytes] = {
    "image": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
    "sticker": b"WhatsApp Image Keys",
    "history": b"WhatsApp History Keys",
}
_MAC_BYTES = 10
_LARGEST = 256 * 1024 * 1024

# Per kind: its field in a message, then url, mime, sha, length, key, encrypted sha, path, caption.
_FIELDS: dict[Kind, tuple[int, tuple[int, int, int, int, int, int, int], int | None]] = {
    "image": (3, (1, 2, 4, 5, 8, 9, 11), 3),
    "video": (9, (1, 2, 3, 4, 6, 11, 13), 7),
    "audio": (8, (1, 2, 3, 4, 7, 8, 9), None),
    "document": (7, (1, 2, 4, 5, 7, 9, 10), 20),
    "sticker": (26, (1, 5, 2, 9, 4, 3, 8), None),
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted file and the key that opens it."""

    key: bytes
    blob: bytes

    @classmethod
    def of(cls, data: bytes, kind: Kind) -> Sealed:
        key = secrets.token_bytes(32)
        iv, cipher, mac = _keys(key, kind)
        body = cbc_seal(cipher, iv, data)
        return cls(key, body + hmac.digest(mac, iv + body, hashlib.sha256)[:_MAC_BYTES])

    def opened(self, kind: Kind) -> bytes:
        """The file. Raises ``ValueError`` if key and file do not belong together."""
        iv, cipher, mac = _keys(self.key, kind)
        body, tag = self.blob[:-_MAC_BYTES], self.blob[-_MAC_BYTES:]
        if hmac.digest(mac, iv + body, hashlib.sha256)[:_MAC_BYTES] != tag:
            raise ValueError("the file was not sealed with this key")
        return cbc_open(cipher, iv, body)


def _keys(key: bytes, kind: Kind) -> tuple[bytes, bytes, bytes]:
    keys = derive(key, b"", _INFO[kind], 112)
    return keys[:16], keys[16:48], keys[48:80]


class MediaHost:
    """The files, by path. ``gone`` makes the host answer that status to every download."""

    def __init__(self) -> None:
        self.gone: int | None = None
        self.deleted: list[str] = []
        self._files: dict[str, bytes] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/mms/{kind}/{token}", self._upload)
        router.add_delete("/mms/{kind}/{token}", self._delete)
        router.add_get("/files/{name}", self._download)

    def connection(self) -> Node:
        """The answer to a client that asks where to upload."""
        host = node("host", hostname=MEDIA_HOST)
        times = {"ttl": "300", "auth_ttl": "600", "max_buckets": "12"}
        return node("media_conn", host, auth="test-media", **times)

    def keep(self, blob: bytes) -> str:
        """Stores an encrypted file; gives its path."""
        name = secrets.token_hex(16)
        self._files[name] = blob
        return f"/files/{name}?ccb=1"

    def message(
        self, kind: Kind, data: bytes, mime: str, *, caption: str = "", name: str = "",
        voice: bool = False,
    ) -> bytes:  # fmt: skip
        """The body of a message that carries a file, which is stored here."""
        sealed = Sealed.of(data, kind)
        path = self.keep(sealed.blob)
        where, numbers, caption_at = _FIELDS[kind]
        url, mime_at, sha, length, key, sealed_sha, path_at = numbers
        fields: list[tuple[int, int | str | bytes | None]] = [
            (url, f"https://{MEDIA_HOST}{path}"),
            (mime_at, mime),
            (sha, hashlib.sha256(data).digest()),
            (length, len(data)),
            (key, sealed.key),
            (sealed_sha, hashlib.sha256(sealed.blob).digest()),
            (path_at, path),
        ]
        if caption and caption_at:
            fields.append((caption_at, caption))
        if kind == "document":
            fields.append((8, name or None))
        if kind == "audio" and voice:
            fields.append((6, 1))
        return encode((where, encode(*sorted(fields, key=lambda f: f[0]))))

    def blob(self, path: str) -> bytes:
        """The encrypted file behind a path or a URL that this host gave."""
        return self._files[path.partition("/files/")[2].partition("?")[0]]

    async def _upload(self, request: web.Request) -> web.Response:
        request._client_max_size = _LARGEST
        path = self.keep(await request.read())
        url = f"https://{MEDIA_HOST}{path}"
        return web.json_response({"url": url, "direct_path": path, "handle": "test"})

    async def _delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.match_info["kind"])
        return web.Response()

    async def _download(self, request: web.Request) -> web.Response:
        if self.gone:
            return web.Response(status=self.gone)
        return web.Response(body=self._files[request.match_info["name"]])
