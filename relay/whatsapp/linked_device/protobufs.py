"""The library's protobuf messages, without the library.

The shared library has 19 MB and starts threads. Reading the journal needs only the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any, Protocol

from google.protobuf.message import DecodeError, Message

from relay.whatsapp.linked_device.neonize_modules import import_alone


class Jid(Protocol):
    """WhatsApp's address of a person, a device, a group… ``IsEmpty`` stands for "not there"."""

    User: str | bytes
    Server: str | bytes
    IsEmpty: bool


class Source(Protocol):
    """Where a message or a receipt comes from."""

    Chat: Jid
    Sender: Jid
    SenderAlt: Jid
    RecipientAlt: Jid
    IsFromMe: bool
    IsGroup: bool


class Info(Protocol):
    """Everything about a message but its content. ``Timestamp`` is in milliseconds."""

    MessageSource: Source
    ID: str | bytes
    Timestamp: int
    Pushname: str | bytes


class SeenMessage(Protocol):
    """A message event: wrappers (ephemeral, view-once…) are already off ``Message``, flags tell.

    ``RetryCount`` and ``UnavailableRequestID`` tell that it was asked for after it came unreadable.
    """

    Info: Info
    Message: Message
    IsViewOnce: bool
    IsViewOnceV2: bool
    IsViewOnceV2Extension: bool
    RetryCount: int
    UnavailableRequestID: str | bytes


class SeenReceipt(Protocol):
    """A receipt event. ``Timestamp`` is in seconds."""

    MessageSource: Source
    MessageIDs: Sequence[str | bytes]
    Timestamp: int
    Type: int


class Undecryptable(Protocol):
    """A message came that could not be decrypted; ``DecryptFailMode`` 2 asks to keep silent."""

    Info: Info
    DecryptFailMode: int


class OwnDevice(Protocol):
    """The device the session belongs to."""

    JID: Jid
    LID: Jid
    PushName: str | bytes


def parse(name: str, data: bytes) -> Message:
    """The message of that name (``Message``, ``Receipt``…) from its bytes.

    Raises:
        ValueError: the bytes are not such a message.
    """
    message = glance(name, data)
    if not message.IsInitialized():
        raise ValueError(f"not a {name} of the library: required fields are missing")
    return message


def glance(name: str, data: bytes) -> Message:
    """The same in a quarter of the time: whatever is missing is empty.

    Raises:
        ValueError: the bytes are not such a message.
    """
    message: Message = getattr(load(), name)()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"not a {name} of the library: {error}") from error
    return message


def jid_bytes(user: str, server: str) -> bytes:
    """An address for the library."""
    data: bytes = new_jid(user, server).SerializeToString()
    return data


def new_jid(user: str, server: str) -> Any:
    """An address; that of nobody if its server is empty."""
    return load().JID(
        User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not server
    )


def new_info(id_: str, at_ms: int, name: str = "", **source: Any) -> Any:
    """What an event of the library tells about a message; ``source`` is where it comes from."""
    module, nowhere = load(), new_jid("", "")
    places = {"SenderAlt": nowhere, "RecipientAlt": nowhere, "BroadcastListOwner": nowhere}
    return module.MessageInfo(
        MessageSource=module.MessageSource(**places | source),
        ID=id_,
        ServerID=0,
        Type="text",
        Pushname=name,
        Timestamp=at_ms,
        Category="",
        Multicast=False,
        MediaType="",
        Edit="",
    )


def new_message() -> Any:
    """An empty ``waE2E.Message``."""
    return load().Message().Message


def secret_bytes(secret: bytes) -> bytes:
    """The part of an outgoing message that bears its secret (32 bytes), for the library."""
    message = new_message()
    message.messageContextInfo.messageSecret = secret
    part: bytes = message.SerializeToString()
    return part


def small_picture_request() -> bytes:
    """The request for somebody's picture as it stands in a list of chats (96 pixels wide).

    The library heeds it only if nothing is left out.
    """
    request: Message = load().GetProfilePictureParams(
        Preview=True, ExistingID="", IsCommunity=False
    )
    return request.SerializeToString()


def letters_request(digits: str) -> bytes:
    """The request for letters that link by number; the phone is to show a notification.

    WhatsApp takes a device's name only in the form "Browser (System)" here.
    """
    request: Message = load().PairPhoneParams(
        phone=digits,
        clientDisplayName="Chrome (Linux)",
        clientType=1,  # Chrome, so that name and kind agree
        showPushNotification=True,
    )
    return request.SerializeToString()


def as_text(value: str | bytes) -> str:
    """A protobuf string; what was not UTF-8 arrives as bytes and is repaired by replacing."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


@cache
def load() -> ModuleType:
    """The module of message classes, imported once."""
    return import_alone("proto.Neonize_pb2")
