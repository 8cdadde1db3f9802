"""The way to WhatsApp: at once, or through the channel's proxy or the environment's."""

from __future__ import annotations

import asyncio
import base64
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from relay.wire.direct import aside_s

HOST, PORT = "web.whatsapp.com", 443

_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_OPEN, _BY_PASSWORD = 0, 2  # methods of SOCKS 5
_ADDRESSES = {1: 4, 4: 16}  # bytes of the kinds that have always as many; a name tells its length
_REFUSALS = {2: "not allowed", 3: "network unreachable", 4: "host unreachable", 5: "refused"}

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Hop:
    """The first host on the way; ``proxy`` is its URL, if it is not the destination itself."""

    host: str
    port: int
    proxy: SplitResult | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class NoWayError(Exception):
    """The proxy does not lead on; the text says why."""


def first_hop(proxy: str | None, host: str = HOST, port: int = PORT) -> Hop:
    """The host itself, the channel's proxy, or the environment's (``HTTPS_PROXY``, ``NO_PROXY``).

    Raises:
        ValueError: the proxy's address cannot be read.
    """
    chosen = proxy or _environment_proxy(host)
    if not chosen:
        return Hop(host, port)
    parts = urlsplit(chosen if "://" in chosen else f"http://{chosen}")
    if not parts.hostname:
        raise ValueError("the proxy's address has no host")
    return Hop(parts.hostname, parts.port or _PROXY_PORTS.get(parts.scheme, PORT), parts)


def _environment_proxy(host: str) -> str | None:
    return None if proxy_bypass(host) else getproxies().get("https")


async def connect(hop: Hop, tls: Callable[[], ssl.SSLContext]) -> Ends:
    """A connection to the hop; ``tls`` is asked for if its proxy wants one (``https://``).

    Raises:
        OSError: it cannot be reached.
    """
    secured = hop.proxy is not None and hop.proxy.scheme == "https"
    return await asyncio.open_connection(
        hop.host,
        hop.port,
        ssl=tls() if secured else None,
        happy_eyeballs_delay=aside_s(hop.host),
    )


async def lead_on(hop: Hop, ends: Ends, host: str = HOST, port: int = PORT) -> None:
    """Have the hop, which is connected, lead on to a host: from then on that one answers.

    Raises:
        NoWayError: the proxy refuses.
        OSError, EOFError, asyncio.LimitOverrunError: it hangs up, or talks nonsense.
    """
    if hop.proxy is None:
        return
    if hop.proxy.scheme.startswith("socks"):
        await _socks(hop.proxy, ends, host, port)
    else:
        await _connect(hop.proxy, ends, f"{host}:{port}")


async def _connect(proxy: SplitResult, ends: Ends, place: str) -> None:
    reader, writer = ends
    head = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.username is not None:
        secret = b":".join(_credentials(proxy))
        head.append(f"Proxy-Authorization: Basic {base64.b64encode(secret).decode()}")
    writer.write("\r\n".join([*head, "", ""]).encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode("ascii", "replace")
    status = answer.partition(" ")[2]
    if not status.startswith("2"):
        raise NoWayError(f"it answers {status or answer}")


async def _socks(proxy: SplitResult, ends: Ends, host: str, port: int) -> None:
    reader, writer = ends
    methods = bytes([_OPEN] if proxy.username is None else [_OPEN, _BY_PASSWORD])
    writer.write(bytes([5, len(methods)]) + methods)
    version, method = await reader.readexactly(2)
    if version != 5:
        raise NoWayError("it is no SOCKS 5 proxy")
    if method == _BY_PASSWORD and proxy.username is not None:
        name, password = _credentials(proxy)
        writer.write(bytes([1, len(name)]) + name + bytes([len(password)]) + password)
        if (await reader.readexactly(2))[1] != 0:
            raise NoWayError("it refuses the name and the password")
    elif method != _OPEN:
        raise NoWayError("it wants a name and a password")
    writer.write(bytes([5, 1, 0, 3, len(host)]) + host.encode() + struct.pack(">H", port))
    _, refusal, _, kind = await reader.readexactly(4)
    if refusal != 0:
        raise NoWayError(_REFUSALS.get(refusal, f"error {refusal}"))
    size = _ADDRESSES.get(kind) or (await reader.readexactly(1))[0]
    await reader.readexactly(size + 2)  # where it goes on from; what follows is the host's


def _credentials(proxy: SplitResult) -> tuple[bytes, bytes]:
    return unquote(proxy.username or "").encode(), unquote(proxy.password or "").encode()
