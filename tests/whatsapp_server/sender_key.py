"""Encrypts for a group with a Signal sender key: one ciphertext for all members."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from tests.whatsapp_server.keys import DJB, KeyPair, derive
from tests.whatsapp_server.protobuf import encode
from tests.whatsapp_server.ratchet import VERSION, cbc_seal


class SenderKey:
    """One person's sending key in one group."""

    def __init__(self) -> None:
        self._number = secrets.randbits(31)
        self._chain = secrets.token_bytes(32)
        self._iteration = 0
        self._signing = KeyPair.generate()

    def distribution(self) -> bytes:
        """What a member's device needs to read from here on."""
        return VERSION + encode(
            (1, self._number),
            (2, self._iteration),
            (3, self._chain),
            (4, DJB + self._signing.public),
        )

    def encrypt(self, plaintext: bytes) -> bytes:
        """The next message, signed."""
        seed = hmac.digest(self._chain, b"\x01", hashlib.sha256)
        self._chain = hmac.digest(self._chain, b"\x02", hashlib.sha256)
        keys = derive(seed, b"", b"WhisperGroup", 48)
        ciphertext = cbc_seal(keys[16:], keys[:16], plaintext)
        body = VERSION + encode((1, self._number), (2, self._iteration), (3, ciphertext))
        self._iteration += 1
        return body + self._signing.sign(body)
