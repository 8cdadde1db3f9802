"""What systemd and the relay tell each other: sockets handed down, readiness, the watchdog.

The protocols are those of sd_listen_fds(3) and sd_notify(3): a few lines each, so no library.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

_FIRST_FD = 3


def inherited_sockets(environment: Mapping[str, str] = os.environ) -> dict[str, socket.socket]:
    """Listening sockets that systemd opened for us, by their ``FileDescriptorName=``."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return {}
    told = environment.get("LISTEN_FDS", "")
    count = int(told) if told.isdecimal() else 0
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    sockets: dict[str, socket.socket] = {}
    for offset, name in zip(range(count), names, strict=False):
        sock = socket.socket(fileno=_FIRST_FD + offset)
        sock.setblocking(False)
        sockets[name] = sock
    return sockets


class Notifier:
    """Tells systemd how the service is; silent where nobody listens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")

    def ready(self, status: str) -> None:
        """The service is up."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """The service is going down."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def status(self, status: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={status}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        path = self._address
        address = "\0" + path[1:] if path.startswith("@") else path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            try:
                sock.sendto(message.encode(), address)
            except OSError:
                return  # a service manager that went away cannot be told so
