"""Plays the phone's side of linking by the eight-letter code instead of a QR code."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.whatsapp_server.addresses import SERVICE, Jid
from tests.whatsapp_server.inbox import PATIENCE_S
from tests.whatsapp_server.keys import KeyPair, derive
from tests.whatsapp_server.node import Node, leaf, node
from tests.whatsapp_server.pairing import PairingError, Registration

_ROUNDS = 131_072


@dataclass(slots=True)
class CodeRequest:
    """A client that shows a code and waits for it to be typed into the phone of ``number``."""

    registration: Registration
    number: Jid
    wrapped: bytes
    ref: bytes = field(default_factory=lambda: secrets.token_hex(16).encode())
    finished: asyncio.Future[Node] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @classmethod
    def read(cls, registration: Registration, hello: Node) -> CodeRequest:
        """Takes the client's ``companion_hello``."""
        wrapped = hello.need("link_code_pairing_wrapped_companion_ephemeral_pub").data
        return cls(registration, hello.jid("jid"), wrapped)

    def reference(self) -> Node:
        """The answer to ``companion_hello``."""
        return node("link_code_companion_reg", leaf("link_code_pairing_ref", self.ref))


async def secret_of(request: CodeRequest, code: str, identity: KeyPair) -> bytes:
    """Types the code and gives the secret that both sides then share.

    Raises ``PairingError`` if the code is not the client's: the keys then do not fit.
    """
    letters = code.replace("-", "").upper().encode()
    ephemeral = KeyPair.generate()
    theirs = _crossed(letters, request.wrapped[:48], request.wrapped[48:])
    head = secrets.token_bytes(48)
    await _notify(request, head + _crossed(letters, head, ephemeral.public), identity.public)
    async with asyncio.timeout(PATIENCE_S):
        finish = await request.finished
    shared = ephemeral.agree(theirs)
    bundle = finish.need("link_code_pairing_wrapped_key_bundle").data
    companion, randomness = _opened(bundle, shared)
    if companion != request.registration.registered.identity:
        raise PairingError("the key bundle carries another identity")
    agreed = shared + identity.agree(companion) + randomness
    return derive(agreed, b"", b"adv_secret", 32)


async def _notify(request: CodeRequest, wrapped: bytes, identity: bytes) -> None:
    inner = node(
        "link_code_companion_reg",
        leaf("link_code_pairing_wrapped_primary_ephemeral_pub", wrapped),
        leaf("primary_identity_pub", identity),
        leaf("link_code_pairing_ref", request.ref),
        stage="primary_hello",
    )
    notification = node(
        "notification", inner, from_=SERVICE, type="link_code_companion_reg", id="code-1"
    )
    await request.registration.connection.send(notification)


def _crossed(letters: bytes, head: bytes, key: bytes) -> bytes:
    """Encrypts or decrypts 32 bytes with the code; ``head`` is 32 bytes salt and 16 bytes IV."""
    derived = hashlib.pbkdf2_hmac("sha256", letters, head[:32], _ROUNDS, 32)
    return Cipher(algorithms.AES(derived), modes.CTR(head[32:48])).encryptor().update(key)


def _opened(bundle: bytes, shared: bytes) -> tuple[bytes, bytes]:
    """The companion's identity and the random part of its key bundle."""
    info = b"link_code_pairing_key_bundle_encryption_key"
    key = derive(shared, bundle[:32], info, 32)
    try:
        plaintext = AESGCM(key).decrypt(bundle[32:44], bundle[44:], None)
    except InvalidTag as error:
        raise PairingError("a wrong code: the keys of the two sides do not fit") from error
    return plaintext[:32], plaintext[64:]
