"""Stands for systemd's end of the notification socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.app.waiting import Watched


class Notifications(Watched, asyncio.DatagramProtocol):
    """Every datagram of sd_notify(3), in order, as its assignments."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, str]] = []

    async def open(self, path: Path) -> asyncio.DatagramTransport:
        """Listen at a path; whoever opens it closes the transport."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(str(path))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        return transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        lines = data.decode().splitlines()
        self.told.append(dict(line.split("=", 1) for line in lines))
        self.changed()

    def count(self, name: str) -> int:
        """How often a variable was set."""
        return sum(name in told for told in self.told)

    def __str__(self) -> str:
        return f"notifications {self.told[-5:]}"
