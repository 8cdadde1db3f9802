"""Remembers paired stores, so that only the first test that needs one pays for the pairing.

A store holds the client's keys and is bound to its account, not to a server: a copy of the file and
of what the service knew then is as good as a fresh pairing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tests.whatsapp_server.keys import KeyPair
from tests.whatsapp_server.linked import LinkedDevice, Registered
from tests.whatsapp_server.phone import Phone


@dataclass(frozen=True, slots=True)
class Paired:
    """A store right after pairing, and the account it belongs to."""

    store: bytes
    number: str
    lid: str
    identity: KeyPair
    registered: Registered
    one_time: dict[int, bytes]

    @classmethod
    def of(cls, path: Path, phone: Phone, device: LinkedDevice) -> Paired:
        """Takes a copy of a store whose client has ended."""
        identity = phone.device.identity
        return cls(
            store=path.read_bytes(),
            number=phone.number,
            lid=phone.lid.user,
            identity=identity,
            registered=device.registered,
            one_time=device.one_time_prekeys(),
        )

    def restore(self, path: Path, phone: Phone) -> LinkedDevice:
        """Writes the store to ``path``; its client becomes the first linked device of ``phone``."""
        path.write_bytes(self.store)
        if phone.number != self.number:
            self._rename(path, phone)
        phone.device.identity = self.identity
        device = phone.adopt(self.registered)
        device.upload(self.registered.identity, self.registered.signed, self.one_time)
        return device

    def _rename(self, path: Path, phone: Phone) -> None:
        """Gives the account in the file another number and hidden id; its keys stay."""
        jid, lid = str(phone.jid.with_device(1)), str(phone.lid.with_device(1))
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA foreign_keys = ON")  # the other tables follow by their keys
        database.execute("UPDATE whatsmeow_device SET jid = ?, lid = ?", (jid, lid))
        own = f"{phone.lid.user}_1:0"
        database.execute("UPDATE whatsmeow_identity_keys SET their_id = ?", (own,))
        pair = phone.lid.user, phone.number
        database.execute("UPDATE whatsmeow_lid_map SET lid = ?, pn = ?", pair)
        database.close()


_known: dict[str, Paired] = {}


def recall(phone: Phone) -> Paired | None:
    """The store paired with this number before, if the phone is as new as it was then."""
    return None if phone.linked or phone.sent else _known.get(phone.number)


def known(number: str) -> Paired:
    """The store paired with this number in this run. Raises ``KeyError`` if there is none."""
    return _known[number]


def remember(path: Path, phone: Phone, device: LinkedDevice) -> None:
    """Keeps a fresh pairing for later tests of this run."""
    if device.jid.device == 1:
        _known[phone.number] = Paired.of(path, phone, device)
