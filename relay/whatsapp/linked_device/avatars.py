"""The small picture that a client shows of himself: asked for as a phone asks for it in its list.

The library tells an address on WhatsApp's media host where the picture lies as it is, not sealed.
UNCONFIRMED: how many such requests WhatsApp takes; whoever asks here sees to it that they are few.
"""

from __future__ import annotations

from typing import Any

from relay.delivery.ports import MediaGoneError, MediaUnavailableError, MediaWriter
from relay.domain.ids import ClientAddress
from relay.whatsapp.linked_device.addressing import server_and_user
from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.library_log import without_numbers
from relay.whatsapp.linked_device.media_errors import GoneError, HostError
from relay.whatsapp.linked_device.media_host import MediaHost
from relay.whatsapp.linked_device.protobufs import (
    as_text,
    jid_bytes,
    parse,
    small_picture_request,
)

_NONE = ("does not have a profile picture", "hidden their profile picture")
"""In the words of whatsmeow (``errors.go``), which is all that the library tells."""


async def bring_avatar(
    client: Client | None, host: MediaHost, of: ClientAddress, write: MediaWriter
) -> None:
    """See :meth:`relay.delivery.ports.Engine.avatar`; ``client`` is None while not connected."""
    way = server_and_user(of)
    if way is None:
        raise MediaGoneError("he has no address that a linked device could ask for")
    if client is None:
        raise MediaUnavailableError("not connected to WhatsApp")
    server, user = way
    whose, how = jid_bytes(user, server), small_picture_request()
    answer = await client.calls.ask(
        "avatar", lambda library, name: library.get_profile_picture(name, whose, how)
    )
    if answer is None:
        raise MediaUnavailableError("the library cannot be asked now")
    try:
        await host.fetch_plain(picture_place(answer), write)
    except GoneError as error:
        raise MediaGoneError(str(error)) from error
    except HostError as error:
        raise MediaUnavailableError(str(error)) from error


def picture_place(answer: bytes) -> str:
    """The address of the picture, from the library's answer.

    Raises:
        MediaGoneError: there is none, or none that we may see.
        MediaUnavailableError: WhatsApp does not tell, or makes no sense.
    """
    try:
        read: Any = parse("GetProfilePictureReturnFunction", answer)
    except ValueError as error:
        raise MediaUnavailableError(str(error)) from error
    if refusal := as_text(read.Error):
        if any(words in refusal for words in _NONE):
            raise MediaGoneError(refusal)
        raise MediaUnavailableError(without_numbers(refusal))
    place = as_text(read.Picture.URL)
    if not place:
        raise MediaGoneError("WhatsApp tells no address of it")
    return place
