"""Says who somebody is on the wire: the address of a user, a device, a group or the service."""

from __future__ import annotations

from dataclasses import dataclass, replace

NUMBERS = "s.whatsapp.net"
LIDS = "lid"
GROUPS = "g.us"


@dataclass(frozen=True, slots=True)
class Jid:
    """An address: a user at a server, and which of the user's devices (0 is the phone)."""

    user: str
    server: str = NUMBERS
    device: int = 0

    def __str__(self) -> str:
        device = f":{self.device}" if self.device else ""
        return f"{self.user}{device}@{self.server}" if self.user else self.server

    @classmethod
    def parse(cls, text: str) -> Jid:
        """Reads ``user:device@server``."""
        name, _, server = text.rpartition("@")
        user, _, device = name.partition(":")
        return cls(user, server, int(device or 0))

    def with_device(self, device: int) -> Jid:
        """The same user's other device."""
        return replace(self, device=device)

    @property
    def person(self) -> Jid:
        """The address without the device."""
        return replace(self, device=0)


SERVICE = Jid("", NUMBERS)
