"""``relay demo``: opens the demonstration, tells where, and ends it on Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path

from relay.demo.server import serve
from relay.demo.show import Show, open_show
from relay.web.server import bind


def run_demo(port: int, open_page: bool) -> int:
    """Run until SIGINT or SIGTERM; the exit status: 0, or 1 if the port cannot be had.

    ``port`` 0 takes any free one.
    """
    try:
        sock = bind("127.0.0.1", port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "there is no such port"
        print(  # noqa: T201
            f"127.0.0.1:{port} cannot be used: {reason}; choose another with --port "
            "(0 takes any free one)",
            file=sys.stderr,
        )
        return 1
    with sock:
        asyncio.run(_run(sock, open_page=open_page))
    return 0


async def _run(sock: socket.socket, *, open_page: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # Inside the loop, so that a second Ctrl-C cannot leave half of the directory behind.
    with tempfile.TemporaryDirectory(prefix="relay-demo-") as directory:
        async with open_show(Path(directory)) as show:
            await _show(show, sock, stop, open_page=open_page)


async def _show(show: Show, sock: socket.socket, stop: asyncio.Event, *, open_page: bool) -> None:
    runner = await serve(show, sock)
    try:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        print(f"The demonstration is open at {url}", flush=True)  # noqa: T201
        if open_page:
            await asyncio.to_thread(webbrowser.open, url)
        await stop.wait()
    finally:
        await runner.cleanup()
