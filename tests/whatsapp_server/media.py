"""Keeps encrypted files as the media host does, and seals them as phones do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from tests.whatsapp_server.keys import derive
from tests.whatsapp_server.node import Node, node
from tests.whatsapp_server.protobuf import Fields, encode
from tests.whatsapp_server.ratchet import cbc_open, cbc_seal
from tests.whatsapp_server.tls import MEDIA_HOST, PICTURE_HOST

Kind = Literal["image", "video", "round", "audio", "document", "sticker", "history"]

_INFO: dict[Kind, bytes] = {
    "image": b"WhatsApp Image Keys",
    "video": b"WhatsApp Video Keys",
    "round": b"WhatsApp Video Keys",
    "audio": b"WhatsApp Audio Keys",
    "document": b"WhatsApp Document Keys",
    "sticker": b"WhatsApp Image Keys",
    "history": b"WhatsApp History Keys",
}
_MAC_BYTES = 10
_PIECE = 64 * 1024
_AUTH = "test-media"
_DOCUMENT_WITH_CAPTION = 53

# Per kind: its field in a message, then url, mime, sha, length, key, encrypted sha, path, caption.
_FIELDS: dict[Kind, tuple[int, tuple[int, int, int, int, int, int, int], int | None]] = {
    "image": (3, (1, 2, 4, 5, 8, 9, 11), 3),
    "video": (9, (1, 2, 3, 4, 6, 11, 13), 7),
    "round": (66, (1, 2, 3, 4, 6, 11, 13), None),
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


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that somebody was sent: what the message says of it, and what it opens to."""

    kind: Kind
    part: Fields
    data: bytes


class MediaHost:
    """The files, by path.

    ``gone`` makes the host answer that status to every download, ``refuse`` to every upload.
    ``break_off`` cuts the next download after that many bytes, ``break_upload`` the next upload;
    ``ranges`` holds what parts were asked for, ``asked`` how often a client asked for the host.
    ``faults``: what no real host would have taken.
    """

    def __init__(self) -> None:
        self.gone: int | None = None
        self.refuse: int | None = None
        self.break_off: int | None = None
        self.break_upload: int | None = None
        self.held: asyncio.Event | None = None
        self.ranges: list[str] = []
        self.uploads: list[str] = []
        self.downloads = 0
        self.asked = 0
        self.faults: list[str] = []
        self.deleted: list[str] = []
        self.some_deleted = asyncio.Event()
        self._files: dict[str, bytes] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/mms/{kind}/{token}", self._upload)
        router.add_delete("/mms/{kind}/{token}", self._delete)
        router.add_get("/files/{name}", self._download)
        router.add_get("/pictures/{name}", self._download)

    def connection(self) -> Node:
        """The answer to a client that asks where to upload."""
        self.asked += 1
        host = node("host", hostname=MEDIA_HOST)
        times = {"ttl": "300", "auth_ttl": "600", "max_buckets": "12"}
        return node("media_conn", host, auth=_AUTH, **times)

    def keep(self, blob: bytes) -> str:
        """Stores an encrypted file; gives its path."""
        name = secrets.token_hex(16)
        self._files[name] = blob
        return f"/files/{name}?ccb=1"

    def picture(self, data: bytes) -> str:
        """Stores a picture that somebody shows of himself; gives its address."""
        return f"https://{PICTURE_HOST}{self.keep(data).replace('/files/', '/pictures/')}"

    def message(
        self, kind: Kind, data: bytes, mime: str, *, caption: str = "", name: str = "",
        voice: bool = False, seconds: int = 0, gif: bool = False,
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
        if kind == "audio":
            fields += [(6, 1)] if voice else []
            fields += [(5, seconds)] if seconds else []
        if kind == "video" and gif:
            fields.append((8, 1))
        return encode((where, encode(*sorted(fields, key=lambda f: f[0]))))

    def spoil(self) -> None:
        """Every file becomes another one of the same size."""
        self._files = {name: blob[:-20] + bytes(20) for name, blob in self._files.items()}

    def blob(self, path: str) -> bytes:
        """The encrypted file behind a path or a URL that this host gave."""
        return self._files[path.partition("/files/")[2].partition("?")[0]]

    def file_of(self, message: Fields) -> SeenFile:
        """The file of a message that somebody was sent, opened and checked by all its hashes."""
        if _DOCUMENT_WITH_CAPTION in message:
            message = message.message(_DOCUMENT_WITH_CAPTION).message(1)
        kind = next(kind for kind, (where, *_) in _FIELDS.items() if where in message)
        where, numbers, _ = _FIELDS[kind]
        part = message.message(where)
        _, _, sha, length, key, sealed_sha, path = numbers
        blob = self.blob(part.text(path))
        data = Sealed(part.bytes(key), blob).opened(kind)
        assert hashlib.sha256(blob).digest() == part.bytes(sealed_sha)
        assert hashlib.sha256(data).digest() == part.bytes(sha)
        assert len(data) == part.number(length)
        return SeenFile(kind, part, data)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if self.held is not None:
            await self.held.wait()
        if self.refuse:
            return web.Response(status=self.refuse)
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if self.break_upload is not None and len(body) >= self.break_upload:
                self.break_upload = None
                assert request.transport
                request.transport.abort()
                return web.Response()
        self._check_upload(request, bytes(body))
        path = self.keep(bytes(body))
        self.uploads.append(request.match_info["kind"])
        url = f"https://{MEDIA_HOST}{path}"
        return web.json_response({"url": url, "direct_path": path, "handle": "test"})

    def _check_upload(self, request: web.Request, body: bytes) -> None:
        token = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()
        told = {request.match_info["token"], request.query.get("token")}
        if told != {token}:
            self.faults.append(f"an upload that is not what its token says: {told}")
        if request.query.get("auth") != _AUTH:
            self.faults.append("an upload without permission")
        if request.headers.get("Origin") != "https://web.whatsapp.com":
            self.faults.append("an upload from elsewhere than WhatsApp Web")
        if request.content_length != len(body):
            self.faults.append("an upload that does not tell its size before")

    async def _delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.match_info["kind"])
        self.some_deleted.set()
        return web.Response()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self.downloads += 1
        blob = self._files.get(request.match_info["name"])
        if self.gone or blob is None:
            return web.Response(status=self.gone or 404)
        begin = 0
        if span := request.headers.get("Range"):
            self.ranges.append(span)
            begin = int(span.removeprefix("bytes=").partition("-")[0])
        response = web.StreamResponse(status=206 if span else 200)
        response.content_length = len(blob) - begin
        if span:
            response.headers["Content-Range"] = f"bytes {begin}-{len(blob) - 1}/{len(blob)}"
        await response.prepare(request)
        end = len(blob)
        if self.break_off is not None:
            end, self.break_off = begin + self.break_off, None
        for at in range(begin, end, _PIECE):
            await response.write(blob[at : min(end, at + _PIECE)])
        if end < len(blob) and request.transport is not None:
            request.transport.close()  # after what was written is out
        return response
