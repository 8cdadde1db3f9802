"""The way of downloads to the media host: straight, or through a proxy that leads on."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from relay.whatsapp.linked_device.way import Ends, NoWayError, connect, first_hop, lead_on
from relay.wire import direct
from relay.wire.direct import certificates
from relay.wire.kept import Connect
from relay.wire.line import Place


def media_way(proxy: str) -> Connect:
    """Through that proxy, or straight if it is empty.

    Raises:
        ValueError: the proxy's address cannot be read.
    """
    return Led(proxy) if proxy else direct.connect


class Led:
    """A :data:`relay.wire.kept.Connect` through a proxy, to which the host's name is told."""

    def __init__(self, proxy: str) -> None:
        self._hop = first_hop(proxy)
        # A stream that nobody holds any more closes its connection, although another goes over it.
        self._beneath = WeakKeyDictionary[asyncio.Protocol, Ends]()

    async def __call__(self, line: asyncio.Protocol, place: Place) -> None:
        """Connect, have the proxy lead on, and put the line at the end, over TLS in any case.

        Raises:
            OSError: the proxy or the place cannot be reached, or is not who it should be.
        """
        ends = await connect(self._hop, certificates)
        transport = ends[1].transport
        try:
            await lead_on(self._hop, ends, place.host, place.port)
            secured = await asyncio.get_running_loop().start_tls(
                transport, line, certificates(), server_hostname=place.host
            )
            if secured is None:
                raise EOFError
        except (NoWayError, EOFError, asyncio.LimitOverrunError) as error:
            transport.abort()
            words = str(error) if isinstance(error, NoWayError) else "it hangs up"
            raise ConnectionError(f"the proxy does not lead there: {words}") from error
        except BaseException:
            transport.abort()
            raise
        self._beneath[line] = ends
        line.connection_made(secured)
