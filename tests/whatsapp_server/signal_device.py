"""Plays one Signal device: its keys, its prekeys, and its sessions with other devices."""

from __future__ import annotations

import secrets
from collections.abc import Hashable
from dataclasses import dataclass

from tests.whatsapp_server.keys import DJB, KeyPair, verify
from tests.whatsapp_server.protobuf import Fields
from tests.whatsapp_server.ratchet import Chain, Session, SignalError, Start, first_keys, turn

_MOST_SESSIONS = 8
_SIGNED_ID = 1


@dataclass(frozen=True, slots=True)
class PublicPrekey:
    """A prekey as others see it; a signed one carries its signature."""

    number: int
    public: bytes
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one device needs to know to write to another for the first time."""

    registration_id: int
    identity: bytes
    signed: PublicPrekey
    one_time: PublicPrekey | None


class SignalDevice:
    """A device with an identity; ``peer`` is whatever names the other device here."""

    def __init__(self) -> None:
        self.identity = KeyPair.generate()
        self.registration_id = secrets.randbelow(16380) + 1
        self._signed = KeyPair.generate()
        self._one_time: dict[int, KeyPair] = {}
        self._next_one_time = 1
        self._sessions: dict[Hashable, list[Session]] = {}

    def bundle(self) -> Bundle:
        """A bundle with a one-time prekey that nobody was given before."""
        number, pair = self._next_one_time, KeyPair.generate()
        self._next_one_time += 1
        self._one_time[number] = pair
        signature = self.identity.sign(DJB + self._signed.public)
        signed = PublicPrekey(_SIGNED_ID, self._signed.public, signature)
        one_time = PublicPrekey(number, pair.public)
        return Bundle(self.registration_id, self.identity.public, signed, one_time)

    def knows(self, peer: Hashable) -> bool:
        """Whether there is a session to write in."""
        return bool(self._sessions.get(peer))

    def forget(self, peer: Hashable) -> None:
        """Loses the sessions with ``peer``, as a device does that was restored or reinstalled."""
        self._sessions.pop(peer, None)

    def begin(self, peer: Hashable, bundle: Bundle) -> None:
        """Begins a session as the one who writes first. Raises ``SignalError`` for a bad bundle."""
        if not verify(bundle.identity, DJB + bundle.signed.public, bundle.signed.signature):
            raise SignalError("the signed prekey is not signed by the identity")
        base, ratchet = KeyPair.generate(), KeyPair.generate()
        agreed = [self.identity.agree(bundle.signed.public), base.agree(bundle.identity)]
        agreed.append(base.agree(bundle.signed.public))
        if bundle.one_time:
            agreed.append(base.agree(bundle.one_time.public))
        root, received = first_keys(*agreed)
        root, sending = turn(root, ratchet.agree(bundle.signed.public))
        start = Start(
            self.registration_id,
            bundle.one_time.number if bundle.one_time else None,
            bundle.signed.number,
            base.public,
            self.identity.public,
        )
        session = Session(
            own_identity=self.identity.public,
            their_identity=bundle.identity,
            base=base.public,
            root=root,
            ratchet=ratchet,
            sending=Chain(sending),
            receiving={bundle.signed.public: Chain(received)},
            start=start,
        )
        self._remember(peer, session)

    def encrypt(self, peer: Hashable, plaintext: bytes) -> tuple[str, bytes]:
        """The kind of the message and its bytes. Raises ``SignalError`` without a session."""
        sessions = self._sessions.get(peer)
        if not sessions:
            raise SignalError(f"no session with {peer}")
        return sessions[0].encrypt(plaintext)

    def decrypt(self, peer: Hashable, kind: str, message: bytes) -> bytes:
        """Raises ``SignalError`` if no session of ``peer`` opens it."""
        if kind == "pkmsg":
            fields = Fields(message[1:])
            self._accept(peer, fields)
            message = fields.bytes(4)
        sessions = self._sessions.get(peer, [])
        for session in list(sessions):
            try:
                plaintext = session.decrypt(message)
            except SignalError:
                continue
            self._remember(peer, session)
            return plaintext
        raise SignalError(f"none of {len(sessions)} sessions with {peer} opens the message")

    def _accept(self, peer: Hashable, fields: Fields) -> None:
        base, identity = fields.bytes(2)[1:], fields.bytes(3)[1:]
        if any(session.base == base for session in self._sessions.get(peer, [])):
            return
        agreed = [self._signed.agree(identity), self.identity.agree(base), self._signed.agree(base)]
        if 1 in fields:
            one_time = self._one_time.pop(fields.number(1), None)
            if one_time is None:
                raise SignalError(f"there is no one-time prekey {fields.number(1)}")
            agreed.append(one_time.agree(base))
        root, sending = first_keys(*agreed)
        session = Session(
            own_identity=self.identity.public,
            their_identity=identity,
            base=base,
            root=root,
            ratchet=self._signed,
            sending=Chain(sending),
        )
        self._remember(peer, session)

    def _remember(self, peer: Hashable, session: Session) -> None:
        """Puts the session first; the oldest of too many is forgotten."""
        others = [s for s in self._sessions.get(peer, []) if s is not session]
        self._sessions[peer] = [session, *others][:_MOST_SESSIONS]


def padded(plaintext: bytes) -> bytes:
    """The plaintext as the wire wants it: followed by n bytes of value n, 1 to 15."""
    size = secrets.randbelow(15) + 1
    return plaintext + bytes([size]) * size


def unpadded(plaintext: bytes) -> bytes:
    """Takes the padding off. Raises ``SignalError`` if it is not one."""
    size = plaintext[-1] if plaintext else 0
    if not 0 < size <= 16 or plaintext[-size:] != bytes([size]) * size:
        raise SignalError("the plaintext is not padded")
    return plaintext[:-size]
