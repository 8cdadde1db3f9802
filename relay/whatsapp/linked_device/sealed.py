"""Where a file lies on WhatsApp's media host and what opens it, as the text of a ``Remote``.

The host keeps files encrypted, for a matter of weeks. Text, because it is kept in the outbox.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from relay.whatsapp.linked_device.protobufs import as_text

HOST = "mmg.whatsapp.net"
"""The media host of messages that name none."""

_OURS = ".whatsapp.net"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file on the media host.

    ``purpose`` goes into the derivation of keys: "Image", "Video", "Audio" or "Document".
    ``key`` opens it; ``sha256`` and ``sealed_sha256`` are of the file and of what the host keeps.
    """

    purpose: str
    url: str
    path: str
    key: bytes
    sha256: bytes
    sealed_sha256: bytes

    @classmethod
    def of(cls, part: object, purpose: str) -> Sealed | None:
        """What a media message tells; None if it is not enough to fetch and open the file."""
        url, path = (as_text(getattr(part, name, "")) for name in ("URL", "directPath"))
        key, sha, sealed_sha = (
            bytes(getattr(part, name, b"")) for name in ("mediaKey", "fileSHA256", "fileEncSHA256")
        )
        if len(key) != _KEY_BYTES or not (url or path):
            return None
        return cls(purpose, url, path, key, sha, sealed_sha)

    def ref(self) -> str:
        """As text."""
        fields = {
            "purpose": self.purpose,
            "url": self.url,
            "path": self.path,
            "key": self.key.hex(),
            "sha256": self.sha256.hex(),
            "sealed_sha256": self.sealed_sha256.hex(),
        }
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def parse(cls, ref: str) -> Sealed:
        """From text.

        Raises:
            ValueError: this is not a text made by :meth:`ref`.
        """
        fields = json.loads(ref)
        try:
            return cls(
                purpose=str(fields["purpose"]),
                url=str(fields["url"]),
                path=str(fields["path"]),
                key=bytes.fromhex(fields["key"]),
                sha256=bytes.fromhex(fields["sha256"]),
                sealed_sha256=bytes.fromhex(fields["sealed_sha256"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a file on WhatsApp's media host: {error!r}") from error

    @property
    def place(self) -> str:
        """The address to fetch it from, always one of WhatsApp's own hosts.

        A sender chooses what stands in his message, so neither another host nor another scheme is
        believed.

        Raises:
            ValueError: the message names no path there.
        """
        told = urlsplit(self.url)
        theirs = told.scheme == "https" and is_media_host(told.netloc)
        path = self.path or (f"{told.path}?{told.query}" if theirs else "")
        if not path.startswith("/") or not path.isascii() or not path.isprintable():
            raise ValueError("the message names no path on WhatsApp's media host")
        return f"https://{told.netloc if theirs else HOST}{path}"


def is_media_host(netloc: str) -> bool:
    """Whether it is one of WhatsApp's own hosts, on the usual port, without a user."""
    return netloc.isascii() and netloc.endswith(_OURS) and not set(netloc) & set("@:/\\ ")
