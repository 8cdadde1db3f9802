"""Keeps one Signal session: the X3DH start and the double ratchet, version 3 messages."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from tests.whatsapp_server.keys import DJB, KeyPair, derive
from tests.whatsapp_server.protobuf import Fields, encode

VERSION = b"\x33"
_MAC_BYTES = 8
_MOST_SKIPPED = 2000


class SignalError(RuntimeError):
    """A message that this device cannot decrypt."""


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """The keys of one message."""

    cipher: bytes
    mac: bytes
    iv: bytes

    @classmethod
    def of(cls, seed: bytes) -> MessageKeys:
        keys = derive(seed, b"", b"WhisperMessageKeys", 80)
        return cls(keys[:32], keys[32:64], keys[64:])


@dataclass(slots=True)
class Chain:
    """A chain of message keys under one ratchet key; skipped keys wait for their messages."""

    key: bytes
    index: int = 0
    skipped: dict[int, MessageKeys] = field(default_factory=dict)

    def next(self) -> MessageKeys:
        seed = hmac.digest(self.key, b"\x01", hashlib.sha256)
        self.key = hmac.digest(self.key, b"\x02", hashlib.sha256)
        self.index += 1
        return MessageKeys.of(seed)

    def at(self, counter: int) -> MessageKeys:
        """The keys of message ``counter``. Raises ``SignalError`` if they were used before."""
        if counter < self.index:
            if counter not in self.skipped:
                raise SignalError(f"message {counter} was decrypted before")
            return self.skipped.pop(counter)
        if counter - self.index > _MOST_SKIPPED:
            raise SignalError(f"message {counter} is too far ahead of {self.index}")
        while self.index < counter:
            index = self.index
            self.skipped[index] = self.next()
        return self.next()


@dataclass(frozen=True, slots=True)
class Start:
    """What the first messages of a session repeat until the other side has answered."""

    registration_id: int
    one_time_id: int | None
    signed_id: int
    base: bytes
    identity: bytes

    def wrap(self, message: bytes) -> bytes:
        return VERSION + encode(
            (5, self.registration_id),
            (1, self.one_time_id),
            (6, self.signed_id),
            (2, DJB + self.base),
            (3, DJB + self.identity),
            (4, message),
        )


@dataclass(slots=True)
class Session:
    """The state shared by two devices; ``start`` is set while the initiator hears no answer."""

    own_identity: bytes
    their_identity: bytes
    base: bytes
    root: bytes
    ratchet: KeyPair
    sending: Chain
    receiving: dict[bytes, Chain] = field(default_factory=dict)
    previous: int = 0
    start: Start | None = None

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """The message's kind (``pkmsg`` or ``msg``) and its bytes."""
        counter = self.sending.index
        keys = self.sending.next()
        body = VERSION + encode(
            (1, DJB + self.ratchet.public),
            (2, counter),
            (3, self.previous),
            (4, _sealed(keys, plaintext)),
        )
        message = body + _mac(keys, self.own_identity, self.their_identity, body)
        return ("pkmsg", self.start.wrap(message)) if self.start else ("msg", message)

    def decrypt(self, message: bytes) -> bytes:
        """Raises ``SignalError`` and leaves the session as it was if it is not of this session."""
        body, mac = message[:-_MAC_BYTES], message[-_MAC_BYTES:]
        fields = Fields(body[1:])
        theirs, counter = fields.bytes(1)[1:], fields.number(2)
        chain = self.receiving.get(theirs)
        stepped = self._stepped(theirs) if chain is None else None
        trial = chain or Chain(stepped[1] if stepped else b"")
        copy = Chain(trial.key, trial.index, dict(trial.skipped))
        keys = copy.at(counter)
        if not hmac.compare_digest(mac, _mac(keys, self.their_identity, self.own_identity, body)):
            raise SignalError("the message is not of this session")
        plaintext = _opened(keys, fields.bytes(4))
        if stepped:
            self._step(theirs, stepped[0])
        self.receiving[theirs] = copy
        self.start = None
        return plaintext

    def _stepped(self, theirs: bytes) -> tuple[bytes, bytes]:
        return turn(self.root, self.ratchet.agree(theirs))

    def _step(self, theirs: bytes, root: bytes) -> None:
        self.previous = max(self.sending.index - 1, 0)
        self.ratchet = KeyPair.generate()
        self.root, key = turn(root, self.ratchet.agree(theirs))
        self.sending = Chain(key)


def turn(root: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """One turn of the ratchet: the next root and a chain key."""
    keys = derive(secret, root, b"WhisperRatchet", 64)
    return keys[:32], keys[32:]


def first_keys(*secrets: bytes) -> tuple[bytes, bytes]:
    """X3DH: the first root and chain key of the agreed secrets."""
    keys = derive(32 * b"\xff" + b"".join(secrets), b"", b"WhisperText", 64)
    return keys[:32], keys[32:]


def _mac(keys: MessageKeys, sender: bytes, receiver: bytes, body: bytes) -> bytes:
    said = DJB + sender + DJB + receiver + body
    return hmac.digest(keys.mac, said, hashlib.sha256)[:_MAC_BYTES]


def _sealed(keys: MessageKeys, plaintext: bytes) -> bytes:
    return cbc_seal(keys.cipher, keys.iv, plaintext)


def _opened(keys: MessageKeys, ciphertext: bytes) -> bytes:
    return cbc_open(keys.cipher, keys.iv, ciphertext)


def cbc_seal(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-CBC with PKCS #7 padding."""
    padder = PKCS7(128).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def cbc_open(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The reverse of ``cbc_seal``. Raises ``SignalError`` if the padding is wrong."""
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise SignalError("the ciphertext is broken") from error
