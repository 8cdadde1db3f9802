"""Whether WhatsApp can be reached at all: asked before the library dials.

A client of the library whose first dialling fails leaks a file descriptor, and no stop can
interrupt the dialling. So a short connection of our own goes first, all the way: through the
proxy, up to an answer to a TLS handshake. What lies in between may well accept a connection and
then swallow whatever is said on it. Whose certificate it is, the library checks.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

from relay.whatsapp.linked_device.way import HOST, Hop, NoWayError, connect, lead_on

TIMEOUT_S = 10.0


async def reach(hop: Hop, timeout_s: float = TIMEOUT_S) -> str | None:
    """None if WhatsApp answers, else why not, for a person."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await connect(hop, _any_certificate)
            await lead_on(hop, (reader, writer))
            await writer.start_tls(_any_certificate(), server_hostname=HOST)
    except TimeoutError:
        silent = f"{hop}" if writer is None or hop.proxy is None else f"{HOST} behind {hop}"
        return f"{silent} does not answer within {timeout_s:g} s"
    except (OSError, asyncio.LimitOverrunError, NoWayError) as error:
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
