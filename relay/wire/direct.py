"""The straight way to a host."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from functools import cache
from typing import Final

from relay.wire.line import Place

_ASIDE_S: Final = 0.25


async def connect(line: asyncio.Protocol, place: Place) -> None:
    """A :data:`relay.wire.kept.Connect`: TCP, and TLS where it is wanted.

    Raises:
        OSError: it cannot be reached, or is not who it should be.
    """
    await asyncio.get_running_loop().create_connection(
        lambda: line,
        place.host,
        place.port,
        ssl=certificates() if place.secure else None,
        happy_eyeballs_delay=aside_s(place.host),
    )


@cache
def certificates() -> ssl.SSLContext:
    """TLS as the system trusts it; one for all connections, for it takes long to make, and room."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def aside_s(host: str) -> float | None:
    """When another address of the host is tried beside the first (RFC 8305), in seconds.

    Of an address there is only one; and whoever gives up a race loses sight of its socket.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _ASIDE_S
    return None
