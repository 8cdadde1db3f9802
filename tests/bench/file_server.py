"""A process that gives out pictures of any size as fast as Python can, and takes files likewise."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF"
_PIECE = bytes(256 * 1024)


async def _attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size, number = map(int, head.split(b" ", 2)[1].strip(b"/").split(b"/"))
            start = HEAD + number.to_bytes(8, "big")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % size
            )
            writer.write(start)
            left = size - len(start)
            while left > 0:
                writer.write(_PIECE[:left])
                left -= len(_PIECE)
                await writer.drain()
    writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_attend, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def file_server() -> Iterator[str]:
    """Its address: ``/SIZE/NUMBER`` is a picture of that many bytes, each number another one."""
    command = [sys.executable, "-m", "tests.bench.file_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve())
