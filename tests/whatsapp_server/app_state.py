"""Keeps an account's synchronised settings, such as names, as encrypted patches.

A phone gives its linked devices the key; the service stores patches it cannot read. Each
collection has a version and a hash that any order of additions gives.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
import time
from dataclasses import dataclass, field

from tests.whatsapp_server.keys import derive
from tests.whatsapp_server.node import Node, leaf, node
from tests.whatsapp_server.protobuf import encode
from tests.whatsapp_server.ratchet import cbc_seal

OWN_NAME = "critical_block"
CONTACTS = "critical_unblock_low"
_HASH_WORDS = 64
_SET = 1  # the operation's byte in a value's MAC
_MAC_BYTES = 32


@dataclass(slots=True)
class _Collection:
    name: str
    patches: list[bytes] = field(default_factory=list)
    hash: bytes = bytes(2 * _HASH_WORDS)
    values: dict[str, bytes] = field(default_factory=dict)

    def replace(self, key: str, value_mac: bytes) -> None:
        """Takes a setting's former value out of the hash and puts the new one in."""
        if former := self.values.get(key):
            self.hash = _combined(self.hash, _spread(former), -1)
        self.hash = _combined(self.hash, _spread(value_mac), +1)
        self.values[key] = value_mac


class AppState:
    """The settings of one account."""

    def __init__(self) -> None:
        self._key_id = secrets.token_bytes(6)
        self._key = secrets.token_bytes(32)
        keys = derive(self._key, b"", b"WhatsApp Mutation Keys", 160)
        self._index, self._cipher, self._value, self._snapshot, self._patch = (
            keys[at : at + 32] for at in range(0, 160, 32)
        )
        self._collections: dict[str, _Collection] = {}

    def key_share(self) -> bytes:
        """The message by which the phone gives a linked device the key."""
        fingerprint = encode((1, 1), (2, 0))
        data = encode((1, self._key), (2, fingerprint), (3, int(time.time())))
        key = encode((1, encode((1, self._key_id))), (2, data))
        return encode((12, encode((2, 6), (7, encode((1, key))))))

    def name_owner(self, name: str) -> Node:
        """Sets the owner's own push name; gives the news for linked devices."""
        return self._set(OWN_NAME, ["setting_pushName"], (7, encode((1, name))))

    def name_contact(self, jid: str, full_name: str) -> Node:
        """Sets the name of an address book entry."""
        action = encode((1, full_name), (2, full_name.partition(" ")[0]))
        return self._set(CONTACTS, ["contact", jid], (3, action))

    def answer(self, request: Node) -> Node:
        """The patches that a linked device asks for."""
        return node("sync", *(self._since(asked) for asked in request.all("collection")))

    def _since(self, asked: Node) -> Node:
        collection = self._collection(asked.get("name"))
        known = int(asked.get("version") or 0)
        patches = [leaf("patch", patch) for patch in collection.patches[known:]]
        version = str(len(collection.patches))
        return node("collection", node("patches", *patches), name=collection.name, version=version)

    def _collection(self, name: str) -> _Collection:
        return self._collections.setdefault(name, _Collection(name))

    def _set(self, name: str, index: list[str], action: tuple[int, bytes]) -> Node:
        collection = self._collection(name)
        version = len(collection.patches) + 1
        record, value_mac = self._record(index, action)
        collection.replace(json.dumps(index), value_mac)
        place = version.to_bytes(8, "big"), name.encode()
        snapshot_mac = _mac(self._snapshot, collection.hash, *place)
        patch_mac = _mac(self._patch, snapshot_mac, value_mac, *place)
        mutation = encode((1, 0), (2, record))
        key = encode((1, self._key_id))
        collection.patches.append(
            encode(
                (1, encode((1, version))),
                (2, mutation),
                (4, snapshot_mac),
                (5, patch_mac),
                (6, key),
            )
        )
        return node("collection", name=name, version=str(version))

    def _record(self, index: list[str], action: tuple[int, bytes]) -> tuple[bytes, bytes]:
        where = json.dumps(index, separators=(",", ":")).encode()
        value = encode((1, int(time.time() * 1000)), action)
        iv = secrets.token_bytes(16)
        plaintext = encode((1, where), (2, value), (3, b""), (4, 2))
        sealed = iv + cbc_seal(self._cipher, iv, plaintext)
        said = bytes([_SET]) + self._key_id + sealed + (len(self._key_id) + 1).to_bytes(8, "big")
        value_mac = hmac.digest(self._value, said, hashlib.sha512)[:_MAC_BYTES]
        record = encode(
            (1, encode((1, _mac(self._index, where)))),
            (2, encode((1, sealed + value_mac))),
            (3, encode((1, self._key_id))),
        )
        return record, value_mac


def _mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), hashlib.sha256)


def _spread(value_mac: bytes) -> bytes:
    return derive(value_mac, b"", b"WhatsApp Patch Integrity", 2 * _HASH_WORDS)


def _combined(one: bytes, other: bytes, sign: int) -> bytes:
    words = zip(
        struct.unpack(f"<{_HASH_WORDS}H", one),
        struct.unpack(f"<{_HASH_WORDS}H", other),
        strict=True,
    )
    return struct.pack(f"<{_HASH_WORDS}H", *((a + sign * b) & 0xFFFF for a, b in words))
