"""Remembers paired stores, so that only the first test that needs one pays for the pairing.

A store holds the client's keys and is bound to its account, not to a server: a copy of the file and
of what the service knew then is as good as a fresh pairing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.whatsapp_server.keys import KeyPair
from tests.whatsapp_server.linked import LinkedDevice, Registered
from tests.whatsapp_server.phone import Phone


@dataclass(frozen=True, slots=True)
class Paired:
    """A store right after pairing, and the account it belongs to."""

    store: bytes
    identity: KeyPair
    registered: Registered
    one_time: dict[int, bytes]

    @classmethod
    def of(cls, path: Path, phone: Phone, device: LinkedDevice) -> Paired:
        """Takes a copy of a store whose client has ended."""
        identity = phone.device.identity
        return cls(path.read_bytes(), identity, device.registered, device.one_time_prekeys())

    def restore(self, path: Path, phone: Phone) -> LinkedDevice:
        """Writes the store to ``path``; its client becomes the first linked device of ``phone``."""
        path.write_bytes(self.store)
        phone.device.identity = self.identity
        device = phone.adopt(self.registered)
        device.upload(self.registered.identity, self.registered.signed, self.one_time)
        return device


_known: dict[str, Paired] = {}


def recall(phone: Phone) -> Paired | None:
    """The store paired with this number before, if the phone is as new as it was then."""
    return None if phone.linked or phone.sent else _known.get(phone.number)


def remember(path: Path, phone: Phone, device: LinkedDevice) -> None:
    """Keeps a fresh pairing for later tests of this run."""
    if device.jid.device == 1:
        _known[phone.number] = Paired.of(path, phone, device)
