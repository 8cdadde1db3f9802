"""The permission to upload: which host takes files, and the word it wants to hear.

WhatsApp gives it over the session's own connection, when the library asks. neonize 0.5.2 exports no
function that tells it, but an upload that does not get through ends in an error that names its
address, and both are in there. So the library is told to upload one byte through a proxy that
nobody is behind; nothing leaves this machine.

The library asks WhatsApp anew when it is to load something and has no answer that is young enough.
For that it is told before to download what is not there: the proxy is in force for no longer than
it takes to find nobody, and hinders none of the library's own downloads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol, cast
from urllib.parse import unquote_plus
from urllib.request import getproxies, proxy_bypass

from relay.whatsapp.linked_device.protobufs import as_text, parse
from relay.whatsapp.linked_device.sealed import HOST, is_media_host

NOWHERE = "/relay-asks-for-the-host?"
"""Where nothing is. Lines of the log that name it mean nothing."""

NOBODY = "http://127.0.0.1:0"
"""A proxy that cannot be there: nobody can listen on that port."""

_GOOD_S = 60.0  # then the library is asked again, which itself asks WhatsApp every few minutes
_ADDRESS = re.compile(r'"https://([^/"]+)/[^"?]*\?(?:[^"]*&)?auth=([^&"]+)')


@dataclass(frozen=True, slots=True)
class Access:
    """Good until ``until_s``, by the monotonic clock. ``auth`` is a secret."""

    host: str
    auth: str = field(repr=False)
    until_s: float


class _UploadAnswer(Protocol):
    Error: str | bytes


def read_access(answer: bytes, now_s: float) -> Access | None:
    """What the library's answer to such an upload tells of it at ``now_s``; None if nothing."""
    try:
        error = as_text(cast(_UploadAnswer, parse("UploadReturnFunction", answer)).Error)
    except ValueError:
        return None
    found = _ADDRESS.search(error)
    if found is None or not is_media_host(found[1]):
        return None
    return Access(found[1], unquote_plus(found[2]), now_s + _GOOD_S)


def media_proxy(proxy: str | None) -> str:
    """The library's own way to the media host: the channel's proxy, or the environment's.

    Without any it is empty.
    """
    if proxy or proxy_bypass(HOST):
        return proxy or ""
    chosen = getproxies().get("https", "")
    if chosen and "://" not in chosen:
        return f"http://{chosen}"
    return chosen.replace("socks5h://", "socks5://")  # to the library they are one
