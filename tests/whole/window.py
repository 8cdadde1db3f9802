"""A terminal window with a command in it, as somebody at a keyboard sees it."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import os
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

_PATIENCE_S = 60.0
_ENTER, _LEAVE = "\x1b[?1049h", "\x1b[?1049l"
_DRAWING, _COLOUR = "\x1b[H", re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Window:
    """What was written into it so far."""

    def __init__(self, keyboard: int) -> None:
        self.written = ""
        self._keyboard = keyboard
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._changed = asyncio.Condition()

    async def heard(self, reader: asyncio.StreamReader) -> None:
        """Take what is written until nobody has the window open any more."""
        with contextlib.suppress(OSError):  # how a window ends when its command does
            while piece := await reader.read(65536):
                self.written += self._decoder.decode(piece)
                async with self._changed:
                    self._changed.notify_all()

    async def until(self, seen: Callable[[], bool]) -> None:
        """Back once that is to be seen."""
        async with asyncio.timeout(_PATIENCE_S), self._changed:
            await self._changed.wait_for(seen)

    async def asked(self, words: str) -> None:
        """Back once these words were written."""
        await self.until(lambda: words in self.written)

    def page(self) -> list[str]:
        """The lines of the latest drawing that is complete, without colours."""
        drawings = [part for part in self.written.split(_DRAWING)[1:] if "\x1b[J" in part]
        return [_COLOUR.sub("", line) for line in drawings[-1].split("\r\n")] if drawings else []

    def after(self) -> str:
        """What stands below the command line when its page is gone."""
        before, _, rest = self.written.partition(_ENTER)
        return before + rest.partition(_LEAVE)[2]

    def press(self, keys: bytes) -> None:
        """Type; ``\\x03`` is Ctrl-C."""
        os.write(self._keyboard, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Make the window larger or smaller."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._keyboard, termios.TIOCSWINSZ, size)


@contextlib.asynccontextmanager
async def window(
    config: Path, environment: Mapping[str, str], *arguments: str
) -> AsyncIterator[tuple[Window, asyncio.subprocess.Process]]:
    """``relay ARGUMENTS -c CONFIG`` in a window of 120 columns and 50 lines."""
    keyboard, screen = os.openpty()
    opened = Window(keyboard)
    opened.resize(120, 50)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "relay", *arguments, "-c", str(config)),
        env={**environment, "TERM": "xterm"},
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that its keys reach it
    )
    os.close(screen)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(keyboard, "rb", 0, closefd=False)
    )
    reading = asyncio.create_task(opened.heard(reader), name="window")
    try:
        yield opened, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
        transport.close()
        os.close(keyboard)
