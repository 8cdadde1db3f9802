"""Runs the pretended amoCRM as a process of its own: a sink for benchmarks, a peer for trying out.

Prints its address as the first line, then serves until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from relay.demo.pretended_amocrm.server import PretendedAmoCRM


async def serve(server: PretendedAmoCRM, port: int) -> None:
    """Serve until the process is told to end."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await server.start(port)
    try:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await server.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m relay.demo.pretended_amocrm")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--hook-url", help="where hooks go; :scope_id stands for the scope")
    parser.add_argument("--light", action="store_true", help="check neither signature nor shape")
    given = parser.parse_args()
    server = PretendedAmoCRM(hook_url=given.hook_url, strict=not given.light)
    asyncio.run(serve(server, given.port))


if __name__ == "__main__":
    main()
