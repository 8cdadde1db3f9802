"""Plays the service's side of the Noise handshake and encrypts the frames that follow.

The pattern is Noise_XX_25519_AESGCM_SHA256. The service's static key is proven by a chain of two
certificates under the root key that the client has built in.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.whatsapp_server.keys import KeyPair, derive
from tests.whatsapp_server.protobuf import Fields, encode

PROLOGUE = b"WA\x06\x03"
_PROTOCOL = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"
_DAY_S = 86_400


class NoiseError(RuntimeError):
    """The other side does not speak this handshake."""


class Cipher:
    """AES-256-GCM with the counter as nonce: one direction of one key."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)
        self._counter = 0

    def encrypt(self, plaintext: bytes, associated: bytes = b"") -> bytes:
        return self._key.encrypt(self._nonce(), plaintext, associated)

    def decrypt(self, ciphertext: bytes, associated: bytes = b"") -> bytes:
        """Raises ``NoiseError`` if it was not encrypted for this key and this turn."""
        try:
            return self._key.decrypt(self._nonce(), ciphertext, associated)
        except InvalidTag as error:
            raise NoiseError("a frame was not encrypted for this connection") from error

    def _nonce(self) -> bytes:
        self._counter += 1
        return bytes(8) + (self._counter - 1).to_bytes(4, "big")


class Handshake:
    """The running hash and key of a handshake, the same on both sides."""

    def __init__(self) -> None:
        self._hash = self._chain = _PROTOCOL
        self._cipher = Cipher(_PROTOCOL)
        self.mix_hash(PROLOGUE)

    def mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        keys = derive(secret, self._chain, b"", 64)
        self._chain, self._cipher = keys[:32], Cipher(keys[32:])

    def encrypt(self, plaintext: bytes) -> bytes:
        ciphertext = self._cipher.encrypt(plaintext, self._hash)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt(self, ciphertext: bytes) -> bytes:
        plaintext = self._cipher.decrypt(ciphertext, self._hash)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[Cipher, Cipher]:
        """The ciphers of the transport: client to server, server to client."""
        keys = derive(b"", self._chain, b"", 64)
        return Cipher(keys[:32]), Cipher(keys[32:])


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the service claims to be: its static key and the certificates that prove it."""

    static: KeyPair
    certificates: bytes

    @classmethod
    def under(cls, root: KeyPair, *, ahead_s: int = 0) -> Identity:
        """A fresh key, certified by an intermediate that ``root`` signs.

        ``ahead_s``: by how much the service's clock is before the client's.
        """
        intermediate, static = KeyPair.generate(), KeyPair.generate()
        now_s = int(time.time()) + ahead_s
        middle = _certificate(root, now_s, serial=1, issuer=0, key=intermediate.public)
        leaf = _certificate(intermediate, now_s, serial=2, issuer=1, key=static.public)
        return cls(static, encode((1, leaf), (2, middle)))


def _certificate(signer: KeyPair, now_s: int, *, serial: int, issuer: int, key: bytes) -> bytes:
    validity = ((4, now_s - _DAY_S), (5, now_s + _DAY_S))
    details = encode((1, serial), (2, issuer), (3, key), *validity)
    return encode((1, details), (2, signer.sign(details)))


class Responder:
    """The service's half of one handshake, in the order of its two calls."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._ephemeral = KeyPair.generate()
        self._state = Handshake()

    def hello(self, message: bytes) -> bytes:
        """Takes the client's hello and gives the service's."""
        theirs = Fields(message).message(2).bytes(1)
        state, own, static = self._state, self._ephemeral, self._identity.static
        state.mix_hash(theirs)
        state.mix_hash(own.public)
        state.mix_key(own.agree(theirs))
        sealed_static = state.encrypt(static.public)
        state.mix_key(static.agree(theirs))
        payload = state.encrypt(self._identity.certificates)
        return encode((3, encode((1, own.public), (2, sealed_static), (3, payload))))

    def finish(self, message: bytes) -> tuple[bytes, bytes]:
        """Takes the client's last message: its static key and its login payload."""
        last = Fields(message).message(4)
        static = self._state.decrypt(last.bytes(1))
        self._state.mix_key(self._ephemeral.agree(static))
        return static, self._state.decrypt(last.bytes(2))

    def split(self) -> tuple[Cipher, Cipher]:
        return self._state.split()
