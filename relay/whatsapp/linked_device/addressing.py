"""Who is at the other end of a message: number, hidden identity, or nobody for the CRM.

WhatsApp addresses people by number (``n@s.whatsapp.net``) or by a hidden identity (``x@lid``); the
"Alt" fields of an event carry the other one where WhatsApp tells it. One person can change from
one to the other within a chat.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.domain.ids import ClientAddress, OwnNumber
from relay.domain.message import Alias
from relay.whatsapp.linked_device.protobufs import Jid, Source, as_text

NUMBER_SERVER = "s.whatsapp.net"
HIDDEN_SERVER = "lid"

_BY_NUMBER = frozenset({NUMBER_SERVER, "c.us", "hosted"})
_HIDDEN = frozenset({HIDDEN_SERVER, "hosted.lid"})
_PEOPLE = _BY_NUMBER | _HIDDEN
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
    if server not in _PEOPLE or not user:
        raise ValueError(f"an address of server {server!r}, which is not known here")
    digits = user if server in _BY_NUMBER else _number_beside(source)
    return _person(digits, user, own)


def alias_of(source: Source, own: OwnNumber) -> Alias | None:
    """That a client's address and the one beside it are both his, if it tells both."""
    beside: Jid = source.RecipientAlt if source.IsFromMe else source.SenderAlt
    hidden = hidden_user(source.Chat) or hidden_user(beside)
    digits = digits_of(source.Chat) or digits_of(beside)
    if hidden is None or digits is None:
        return None
    return Alias(own, hidden_address(hidden), ClientAddress(digits))


def unnumbered(source: Source) -> str | None:
    """The hidden address of the client, if WhatsApp told no number beside it."""
    beside = _number_beside(source)
    return hidden_user(source.Chat) if beside is None and not source.IsGroup else None


def hidden_address(user: str) -> ClientAddress:
    """A client's address by his hidden identity."""
    return ClientAddress(_HIDDEN_PREFIX + user)


def hidden_user(jid: Jid) -> str | None:
    """Whose hidden identity it is; None if it is none, or not one of digits."""
    return _digits_at(jid, _HIDDEN)


def digits_of(jid: Jid) -> str | None:
    """The digits of a number's address; None if it is another address."""
    return _digits_at(jid, _BY_NUMBER)


def _digits_at(jid: Jid, servers: frozenset[str]) -> str | None:
    if jid.IsEmpty or as_text(jid.Server) not in servers:
        return None
    user = as_text(jid.User)
    return user if user.isascii() and user.isdigit() else None


def _person(digits: str | None, user: str, own: OwnNumber) -> Peer | Nobody:
    if digits is None:
        return Peer(hidden_address(user), None)
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
