"""Plays a whole scene where no network exists but loopback, and counts attempts to leave it.

Run as ``python -m tests.whatsapp_server_tests.lonely_scene DIRECTORY [--stray]``. It enters a
namespace of its own, in which the kernel counts every packet that finds no route. ``--stray`` tries
to leave on purpose, which shows that the counter works. Exit code 75: namespaces are not allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

from tests.whatsapp_server_tests.stage import scene

NOT_ALLOWED = 75
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def _leave_the_world() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _NEW_NET):
        print(os.strerror(ctypes.get_errno()))
        sys.exit(NOT_ALLOWED)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        _, flags = struct.unpack("16sH14x", fcntl.ioctl(control, _GET_FLAGS, request))
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


def _attempts() -> int:
    """How many packets wanted to leave this machine and found no route."""
    ip = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    names, values = (line for line in ip if line[0] == "Ip:")
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(values[names.index("OutNoRoutes")]) + int(six["Ip6OutNoRoutes"])


async def _play(directory: Path) -> None:
    async with scene(directory) as s:
        await s.anna.send(s.phone, "Привет")
        await s.client.message("Привет")
        await s.client.send(s.anna.number, "Здравствуйте")
        await s.anna.received("Здравствуйте")
        body = s.server.media.message("image", b"picture", "image/jpeg")
        await s.anna.send(s.phone, body)
        assert await s.client.download(await s.client.message()) == b"picture"


def main(directory: Path, *, stray: bool) -> None:
    """Plays the scene and says how many attempts there were."""
    _leave_the_world()
    asyncio.run(_play(directory))
    if stray:
        with socket.socket() as outside, contextlib.suppress(OSError):
            outside.connect(("192.0.2.1", 443))
    print(f"attempts to leave: {_attempts()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), stray="--stray" in sys.argv)
