"""Whether WhatsApp, or the proxy before it, can be reached at all: asked before the library dials.

A client of the library whose first dialling fails leaks a file descriptor, and no stop can
interrupt the dialling. So a short TCP connection of our own goes first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

HOST, PORT = "web.whatsapp.com", 443
TIMEOUT_S = 10.0

_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, slots=True)
class Hop:
    """The first host on the way to WhatsApp."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def first_hop(proxy: str | None) -> Hop:
    """WhatsApp itself, the channel's proxy, or the environment's (``HTTPS_PROXY``, ``NO_PROXY``).

    Raises:
        ValueError: the proxy's address cannot be read.
    """
    chosen = proxy or _environment_proxy()
    if not chosen:
        return Hop(HOST, PORT)
    parts = urlsplit(chosen if "://" in chosen else f"http://{chosen}")
    if not parts.hostname:
        raise ValueError("the proxy's address has no host")
    return Hop(parts.hostname, parts.port or _PROXY_PORTS.get(parts.scheme, PORT))


def _environment_proxy() -> str | None:
    return None if proxy_bypass(HOST) else getproxies().get("https")


async def reach(hop: Hop, timeout_s: float = TIMEOUT_S) -> str | None:
    """None if a TCP connection succeeds, else why not, for a person."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(hop.host, hop.port)
    except TimeoutError:
        return f"{hop} does not answer within {timeout_s:g} s"
    except OSError as error:
        return f"{hop} cannot be reached: {error.strerror or error}"
    writer.close()
    return None
