"""Who is at the other end of a message: number, hidden identity, or nobody for the CRM.

WhatsApp addresses people by number (``n@s.whatsapp.net``) or by a hidden identity (``x@lid``); the
"Alt" fields of an event carry the other one where WhatsApp tells it. One person can change from
one to the other within a chat.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.domain.ids import ClientAddress, OwnNumber
from relay.whatsapp.linked_device.protobufs import Jid, Source, as_text

NUMBER_SERVER = "s.whatsapp.net"
HIDDEN_SERVER = "lid"

_BY_NUMBER = frozenset({NUMBER_SERVER, "c.us", "hosted"})
_HIDDEN = frozenset({HIDDEN_SERVER, "hosted.lid"})
_SILENT = {"g.us": "group", "newsletter": "newsletter", "bot": "bot", "broadcast": "broadcast"}
_HIDDEN_PREFIX = "lid:"
_SHORTEST_NUMBER = 5  # below are WhatsApp's own senders: 0 announces news


@dataclass(frozen=True, slots=True)
class Peer:
    """A person: how he is addressed, and his number's digits where WhatsApp told it."""

    address: ClientAddress
    digits: str | None

    @property
    def phone(self) -> str | None:
        """His number as E.164."""
        return f"+{self.digits}" if self.digits else None


@dataclass(frozen=True, slots=True)
class Nobody:
    """Not a conversation with a client; ``rule`` says what it is."""

    rule: str


def peer_of(source: Source, own: OwnNumber) -> Peer | Nobody:
    """The client a message or receipt belongs to.

    Raises:
        ValueError: the address is of a kind WhatsApp had not when this was written.
    """
    server, user = as_text(source.Chat.Server), as_text(source.Chat.User)
    if server == "broadcast" and user == "status":
        return Nobody("status")
    if server in _SILENT:
        return Nobody(_SILENT[server])
    if source.IsGroup:
        return Nobody("group")
    if server not in _BY_NUMBER | _HIDDEN or not user:
        raise ValueError(f"an address of server {server!r}, which is not known here")
    digits = user if server in _BY_NUMBER else _number_beside(source)
    return _person(digits, user, own)


def _person(digits: str | None, user: str, own: OwnNumber) -> Peer | Nobody:
    if digits is None:
        return Peer(ClientAddress(_HIDDEN_PREFIX + user), None)
    if digits == own:
        return Nobody("self")
    if len(digits) < _SHORTEST_NUMBER or not (digits.isascii() and digits.isdigit()):
        return Nobody("service")
    return Peer(ClientAddress(digits), digits)


def _number_beside(source: Source) -> str | None:
    """The number told beside a hidden address: of the recipient if we sent, else of the sender."""
    beside: Jid = source.RecipientAlt if source.IsFromMe else source.SenderAlt
    if beside.IsEmpty or as_text(beside.Server) not in _BY_NUMBER:
        return None
    return as_text(beside.User) or None


def server_and_user(address: ClientAddress) -> tuple[str, str] | None:
    """The way to a client; None for an address that is not a linked device's."""
    if address.startswith(_HIDDEN_PREFIX):
        user, server = address.removeprefix(_HIDDEN_PREFIX), HIDDEN_SERVER
    else:
        user, server = str(address), NUMBER_SERVER
    return (server, user) if user.isascii() and user.isdigit() else None
