"""How WhatsApp's media host keeps a file: sealed with a key that only the people in the chat have.

AES-256-CBC, then ten bytes of an HMAC-SHA256 over the initial vector and the ciphertext; all keys
are derived from the file's own. Both ways work piece by piece, so no file is ever in memory whole.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PIECE = 256 * 1024
"""Bytes worked on at a time: about a millisecond."""

Pieces = Generator[bytes, None, None]

_MAC_BYTES = 10
_BLOCK_BITS = 128


class DamagedError(ValueError):
    """What the host gave is not the file the message speaks of."""


@dataclass(frozen=True, slots=True)
class _Keys:
    iv: bytes
    cipher: bytes
    mac: bytes

    @classmethod
    def of(cls, key: bytes, purpose: str) -> _Keys:
        info = f"WhatsApp {purpose} Keys".encode()
        derived = HKDF(hashes.SHA256(), 112, salt=None, info=info).derive(key)
        return cls(derived[:16], derived[16:48], derived[48:80])

    def cbc(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.cipher), modes.CBC(self.iv))

    def hmac(self) -> hmac.HMAC:
        return hmac.new(self.mac, self.iv, hashlib.sha256)


class Opener:
    """Opens a sealed file piece by piece. Only :meth:`finish` tells whether it was the right one.

    ``sha256`` and ``sealed_sha256``: what the message says of the file; empty where it does not.
    """

    def __init__(
        self, key: bytes, purpose: str, sha256: bytes = b"", sealed_sha256: bytes = b""
    ) -> None:
        keys = _Keys.of(key, purpose)
        self._decryptor = keys.cbc().decryptor()
        self._unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        self._mac = keys.hmac()
        self._told, self._told_sealed = sha256, sealed_sha256
        self._plain, self._sealed = hashlib.sha256(), hashlib.sha256()
        self._tail = b""  # may be the MAC, which ends the file

    def update(self, piece: bytes) -> bytes:
        """What this piece opens to."""
        self._sealed.update(piece)
        rest = self._tail + piece
        body, self._tail = rest[:-_MAC_BYTES], rest[-_MAC_BYTES:]
        self._mac.update(body)
        return self._told_plain(self._unpadder.update(self._decryptor.update(body)))

    def finish(self) -> bytes:
        """The last piece.

        Raises:
            DamagedError: the file was cut short, changed, or is another one.
        """
        tag = self._mac.digest()[:_MAC_BYTES]
        if len(self._tail) != _MAC_BYTES or not hmac.compare_digest(tag, self._tail):
            raise DamagedError("it was not sealed with the message's key, or is not whole")
        if self._told_sealed and self._sealed.digest() != self._told_sealed:
            raise DamagedError("it is not the file that the message names")
        try:
            last = self._unpadder.update(self._decryptor.finalize()) + self._unpadder.finalize()
        except ValueError as error:
            raise DamagedError("its end makes no sense") from error
        self._told_plain(last)
        if self._told and self._plain.digest() != self._told:
            raise DamagedError("it opens to another file than the message names")
        return last

    def _told_plain(self, plain: bytes) -> bytes:
        self._plain.update(plain)
        return plain


@dataclass(frozen=True, slots=True)
class Seal:
    """What a message must tell of a file that was sealed. Sizes in bytes."""

    key: bytes
    sha256: bytes
    sealed_sha256: bytes
    size: int
    sealed_size: int


def sealed_pieces(path: Path, key: bytes, purpose: str) -> Pieces:
    """A file, sealed, piece by piece; the same key gives the same pieces every time.

    Raises:
        OSError: the file cannot be read.
    """
    return _pieces(path, key, purpose, lambda _: None)


def measure(path: Path, key: bytes, purpose: str) -> Seal:
    """What a file will be when it is sealed: the host wants that before the first byte.

    Raises:
        OSError: the file cannot be read.
    """
    plain, sealed, size, sealed_size = hashlib.sha256(), hashlib.sha256(), 0, 0

    def see(piece: bytes) -> None:
        nonlocal size
        plain.update(piece)
        size += len(piece)

    for piece in _pieces(path, key, purpose, see):
        sealed.update(piece)
        sealed_size += len(piece)
    return Seal(key, plain.digest(), sealed.digest(), size, sealed_size)


def _pieces(path: Path, key: bytes, purpose: str, see: Callable[[bytes], None]) -> Pieces:
    keys = _Keys.of(key, purpose)
    encryptor, mac = keys.cbc().encryptor(), keys.hmac()
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            see(piece)
            sealed = encryptor.update(padder.update(piece))
            mac.update(sealed)
            yield sealed
    last = encryptor.update(padder.finalize()) + encryptor.finalize()
    mac.update(last)
    yield last + mac.digest()[:_MAC_BYTES]
