"""Files in the pretended amoCRM: what managers attached, and what it fetched from our links.

amoCRM fetches a link later than it takes the message, in its own time, and tells nobody what came
of it. Here that is one call, and what does not agree with what was told is a violation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp

from relay.demo.giving import give
from relay.demo.pretended_amocrm.call import Call, Reply
from relay.demo.pretended_amocrm.state import Message

BASE = "/attachments/"

_KINDS = {
    "picture": "image/",
    "video": "video/",
    "voice": "audio/",
    "audio": "audio/",
    "sticker": "image/",
}
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that somebody attached in the CRM. ``guarded``: it is given to the token alone."""

    data: bytes
    name: str
    content_type: str
    guarded: bool


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file as it came from the integration's link."""

    size: int
    content_type: str
    sha256: str
    head: bytes = field(repr=False)


class Attachments:
    """Both ways of files. ``through`` turns a public link into the address to ask, as DNS and a
    reverse proxy would.
    """

    def __init__(self, token: str, note: Callable[[str, str], None]) -> None:
        self.through: Callable[[str], str] = str
        self._token = token
        self._note = note
        self._attached: dict[str, Attached] = {}

    @property
    def stored(self) -> int:
        """Bytes of all files that were attached."""
        return sum(len(file.data) for file in self._attached.values())

    def attach(
        self,
        data: bytes,
        name: str,
        content_type: str = "application/octet-stream",
        *,
        guarded: bool = False,
    ) -> str:
        """Keep a file; the path of its link."""
        id_ = f"{len(self._attached)}-{hashlib.sha256(data).hexdigest()[:16]}"
        self._attached[id_] = Attached(data, name, content_type, guarded)
        return f"{BASE}{id_}/{quote(name)}"

    def answer(self, call: Call) -> Reply:
        """Give an attached file out."""
        file = self._attached.get(call.path.removeprefix(BASE).partition("/")[0])
        if file is None:
            return Reply(404)
        if call.method not in ("GET", "HEAD"):
            return Reply(405)
        if file.guarded and call.header("Authorization") != f"Bearer {self._token}":
            return Reply(401)
        given = give(file.data, file.content_type, file.name, call.header("Range"))
        return Reply(given.status, given.body, given.content_type, tuple(given.headers.items()))

    async def fetch(self, message: Message) -> FetchedFile | None:
        """Fetch the file of a message, as amoCRM does later; None if it did not come whole."""
        link = str(message.content.get("media", ""))
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(self.through(link), allow_redirects=False) as answer:
                    if answer.status != 200:
                        self._note("MediaRefused", f"{link} answered {answer.status}")
                        return None
                    file = await _read(answer)
            except (aiohttp.ClientError, OSError) as error:
                self._note("MediaUnreachable", f"{link}: {type(error).__name__}")
                return None
        told = message.content.get("file_size")
        if told is not None and told != file.size:
            self._note("MediaSize", f"{link}: told {told} bytes, {file.size} came")
        expected = _KINDS.get(message.kind, "")
        if not file.content_type.startswith(expected):
            self._note("MediaType", f"{link}: a {message.kind} of type {file.content_type}")
        return file


async def _read(answer: aiohttp.ClientResponse) -> FetchedFile:
    digest, size, head = hashlib.sha256(), 0, b""
    async for piece in answer.content.iter_chunked(_PIECE):
        digest.update(piece)
        head = head or piece[:64]
        size += len(piece)
    return FetchedFile(size, answer.content_type, digest.hexdigest(), head)
