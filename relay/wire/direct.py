"""The straight way to a host."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from functools import cache
from typing import Final

from relay.wire.line import Place

_ASIDE_S: Final = 0.25  # before another address of the host is tried beside the first


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
        # Of an address there is only one; and whoever gives up a race loses sight of its socket.
        happy_eyeballs_delay=None if _is_address(place.host) else _ASIDE_S,
    )


@cache
def certificates() -> ssl.SSLContext:
    """TLS as the system trusts it; one for all connections, for it takes long to make, and room."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
