"""Numbers and hidden addresses: what the library's answers tell of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from relay.domain.ids import ClientAddress, OwnNumber
from relay.domain.message import Alias
from relay.whatsapp.linked_device.addressing import (
    digits_of,
    hidden_address,
    hidden_user,
    unnumbered,
)
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.protobufs import (
    Jid,
    SeenMessage,
    Undecryptable,
    as_text,
    glance,
    parse,
)

LEARNT = 1000
"""The code of such a payload, beyond all of the library's: ``HIDDEN NUMBER`` in digits."""


class _Found(Protocol):
    Query: str | bytes
    JID: Jid
    IsIn: bool


class _Check(Protocol):
    Error: str | bytes
    IsOnWhatsAppResponse: Sequence[_Found]


class _Stored(Protocol):
    Error: str | bytes
    Jid: Jid


class _Sent(Protocol):
    Chat: Jid


class _SendAnswer(Protocol):
    SendResponse: _Sent


# --- What is learnt, as a payload -----------------------------------------------------------------


def learnt(own: OwnNumber, hidden: str, number: str) -> bytes:
    """The payload that tells it."""
    return wrap(RawEvent(LEARNT, own, f"{hidden} {number}".encode("ascii")))


def read_learnt(event: RawEvent) -> Alias:
    """What such a payload tells.

    Raises:
        ValueError: it makes no sense.
    """
    match event.data.decode("ascii").split(" "):
        case [hidden, number] if hidden.isdigit() and number.isdigit():
            return Alias(event.own, hidden_address(hidden), ClientAddress(number))
    raise ValueError("not a hidden address and a number")


# --- Where it is learnt ---------------------------------------------------------------------------


def stranger_in(code: int, data: bytes) -> str | None:
    """The hidden address of whoever a message is from or to, if no number stands beside it."""
    match code:
        case Code.MESSAGE:
            info = cast(SeenMessage, glance("Message", data)).Info
        case Code.UNDECRYPTABLE | Code.WITHHELD:
            info = cast(Undecryptable, glance("UndecryptableMessage", data)).Info
        case _:
            return None
    return unnumbered(info.MessageSource)


def client_in(data: bytes) -> tuple[str | None, str | None]:
    """The number's digits and the hidden address of the client that a message is from or to.

    Raises:
        ValueError: this is no message.
    """
    source = cast(SeenMessage, glance("Message", data)).Info.MessageSource
    beside = source.RecipientAlt if source.IsFromMe else source.SenderAlt
    number = digits_of(source.Chat) or digits_of(beside)
    return number, hidden_user(source.Chat) or hidden_user(beside)


def number_stored(answer: bytes) -> str | None:
    """The number in the library's answer to a look-up in its own file.

    Raises:
        ValueError: the answer cannot be read.
    """
    read = cast(_Stored, parse("GetJIDFromStoreReturnFunction", answer))
    return None if read.Error else digits_of(read.Jid)


def chat_used(answer: bytes) -> str | None:
    """The hidden address that a message was really sent to, if the answer to the send tells it."""
    try:
        read = cast(_SendAnswer, parse("SendMessageReturnFunction", answer))
    except ValueError:
        return None  # what became of the send is told elsewhere
    return hidden_user(read.SendResponse.Chat)


def checked(answer: bytes) -> tuple[dict[str, bool], dict[str, str]]:
    """Which numbers (digits) WhatsApp has or has not, and the hidden addresses it told by the way.

    Found by the number as it was asked: the address in the answer is mostly a hidden one.

    Raises:
        ValueError: the check failed, or the answer cannot be read.
    """
    read = cast(_Check, parse("IsOnWhatsAppReturnFunction", answer))
    if read.Error:
        raise ValueError("WhatsApp did not answer the check")
    there: dict[str, bool] = {}
    hidden: dict[str, str] = {}
    for found in read.IsOnWhatsAppResponse:
        number = as_text(found.Query).strip().removeprefix("+")
        there[number] = found.IsIn
        user = hidden_user(found.JID)
        if found.IsIn and user is not None:
            hidden[number] = user
    return there, hidden
