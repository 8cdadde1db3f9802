"""Holds Curve25519 keys: agreement, XEdDSA signatures, and the key derivation all layers share."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_negate,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)

DJB = b"\x05"
"""The byte before a public key on the Signal wire: the kind of curve."""

_PRIME = 2**255 - 19
_NONCE_PREFIX = b"\xfe" + 31 * b"\xff"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A Curve25519 key pair, 32 bytes each."""

    private: bytes
    public: bytes

    @classmethod
    def generate(cls) -> KeyPair:
        return cls.of(secrets.token_bytes(32))

    @classmethod
    def of(cls, private: bytes) -> KeyPair:
        """The pair of a known private key."""
        key = X25519PrivateKey.from_private_bytes(private)
        return cls(private, key.public_key().public_bytes_raw())

    def agree(self, public: bytes) -> bytes:
        """The secret shared with the owner of ``public``."""
        key = X25519PrivateKey.from_private_bytes(self.private)
        return key.exchange(X25519PublicKey.from_public_bytes(public))

    def sign(self, message: bytes) -> bytes:
        """Signs with a Montgomery key (XEdDSA, Signal's specification, with sign bit 0)."""
        scalar = _reduced(_clamped(self.private))
        point = crypto_scalarmult_ed25519_base_noclamp(scalar)
        if point[31] & 0x80:
            scalar = crypto_core_ed25519_scalar_negate(scalar)
            point = crypto_scalarmult_ed25519_base_noclamp(scalar)
        nonce = _hashed(_NONCE_PREFIX + scalar + message + secrets.token_bytes(64))
        commitment = crypto_scalarmult_ed25519_base_noclamp(nonce)
        challenge = _hashed(commitment + point + message)
        product = crypto_core_ed25519_scalar_mul(challenge, scalar)
        return commitment + crypto_core_ed25519_scalar_add(nonce, product)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of the Curve25519 key signed. The top bit of byte 63 is the sign."""
    u = int.from_bytes(public, "little") % _PRIME
    y = (u - 1) * pow(u + 1, -1, _PRIME) % _PRIME
    edwards = bytearray(y.to_bytes(32, "little"))
    edwards[31] |= signature[63] & 0x80
    plain = signature[:63] + bytes([signature[63] & 0x7F])
    try:
        Ed25519PublicKey.from_public_bytes(bytes(edwards)).verify(plain, message)
    except InvalidSignature:
        return False
    return True


def derive(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """HKDF with SHA-256. An empty salt is 32 zero bytes, as the standard says."""
    return HKDF(SHA256(), size, salt or None, info).derive(secret)


def _clamped(private: bytes) -> bytes:
    return bytes([private[0] & 248]) + private[1:31] + bytes([private[31] & 127 | 64])


def _hashed(data: bytes) -> bytes:
    return crypto_core_ed25519_scalar_reduce(hashlib.sha512(data).digest())


def _reduced(scalar: bytes) -> bytes:
    return crypto_core_ed25519_scalar_reduce(scalar + 32 * b"\0")
