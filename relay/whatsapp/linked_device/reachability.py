"""Whether WhatsApp can be reached at all: asked before the library dials.

A client of the library whose first dialling fails leaks a file descriptor, and no stop can
interrupt the dialling. So a short connection of our own goes first, all the way: through the
proxy, up to an answer to a TLS handshake. What lies in between may well accept a connection and
then swallow whatever is said on it. Whose certificate it is, the library checks.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import struct
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

HOST, PORT = "web.whatsapp.com", 443
TIMEOUT_S = 10.0

_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_OPEN, _BY_PASSWORD = 0, 2  # methods of SOCKS 5
_REFUSALS = {2: "not allowed", 3: "network unreachable", 4: "host unreachable", 5: "refused"}


@dataclass(frozen=True, slots=True)
class Hop:
    """The first host on the way to WhatsApp; ``proxy`` is its URL, if it is not WhatsApp itself."""

    host: str
    port: int
    proxy: SplitResult | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class _NoWayError(Exception):
    """The proxy does not lead on; the text says why."""


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
    return Hop(parts.hostname, parts.port or _PROXY_PORTS.get(parts.scheme, PORT), parts)


def _environment_proxy() -> str | None:
    return None if proxy_bypass(HOST) else getproxies().get("https")


async def reach(hop: Hop, timeout_s: float = TIMEOUT_S) -> str | None:
    """None if WhatsApp answers, else why not, for a person."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            outer = _any_certificate() if hop.proxy and hop.proxy.scheme == "https" else None
            reader, writer = await asyncio.open_connection(hop.host, hop.port, ssl=outer)
            if hop.proxy is not None:
                await _lead_on(hop.proxy, reader, writer)
            await writer.start_tls(_any_certificate(), server_hostname=HOST)
    except TimeoutError:
        silent = f"{hop}" if writer is None or hop.proxy is None else f"{HOST} behind {hop}"
        return f"{silent} does not answer within {timeout_s:g} s"
    except (OSError, asyncio.LimitOverrunError, _NoWayError) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if writer is None or hop.proxy is None:
            return f"{hop} cannot be reached: {words}"
        return f"{HOST} cannot be reached through the proxy {hop}: {words}"
    except EOFError:
        return f"{hop} hangs up"
    finally:
        if writer is not None:
            writer.transport.abort()
    return None


@cache
def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _lead_on(
    proxy: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Ask the proxy for a connection to WhatsApp."""
    if proxy.scheme.startswith("socks"):
        await _socks(proxy, reader, writer)
    else:
        await _connect(proxy, reader, writer)


async def _connect(
    proxy: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    place = f"{HOST}:{PORT}"
    head = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.username is not None:
        secret = b":".join(_credentials(proxy))
        head.append(f"Proxy-Authorization: Basic {base64.b64encode(secret).decode()}")
    writer.write("\r\n".join([*head, "", ""]).encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode("ascii", "replace")
    status = answer.partition(" ")[2]
    if not status.startswith("2"):
        raise _NoWayError(f"it answers {status or answer}")


async def _socks(
    proxy: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    methods = bytes([_OPEN] if proxy.username is None else [_OPEN, _BY_PASSWORD])
    writer.write(bytes([5, len(methods)]) + methods)
    version, method = await reader.readexactly(2)
    if version != 5:
        raise _NoWayError("it is no SOCKS 5 proxy")
    if method == _BY_PASSWORD and proxy.username is not None:
        name, password = _credentials(proxy)
        writer.write(bytes([1, len(name)]) + name + bytes([len(password)]) + password)
        if (await reader.readexactly(2))[1] != 0:
            raise _NoWayError("it refuses the name and the password")
    elif method != _OPEN:
        raise _NoWayError("it wants a name and a password")
    writer.write(bytes([5, 1, 0, 3, len(HOST)]) + HOST.encode() + struct.pack(">H", PORT))
    refusal = (await reader.readexactly(4))[1]
    if refusal != 0:
        raise _NoWayError(_REFUSALS.get(refusal, f"error {refusal}"))


def _credentials(proxy: SplitResult) -> tuple[bytes, bytes]:
    return unquote(proxy.username or "").encode(), unquote(proxy.password or "").encode()
