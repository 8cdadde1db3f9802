"""``relay pair`` and ``relay unpair`` as an administrator starts them, output to a file."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: ``said`` on standard output after the last line that was read, ``trouble``."""

    status: int
    said: str
    trouble: str


class Linking:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """The next line of standard output: the text of a QR code, or letters."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            raw = await self._process.stdout.readline()
        assert raw, await self.ended()
        return raw.decode().strip()

    async def trouble(self, words: str) -> None:
        """Back once a line of standard error has these words."""
        assert self._process.stderr is not None
        async with asyncio.timeout(_PATIENCE_S):
            while words not in (line := (await self._process.stderr.readline()).decode()):
                assert line, await self.ended()

    async def interrupt(self) -> Ended:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return await self.ended()

    async def kill(self) -> None:
        """kill -9."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def ended(self) -> Ended:
        """Back once it has ended by itself."""
        async with asyncio.timeout(_PATIENCE_S):
            said, trouble = await self._process.communicate()
        assert self._process.returncode is not None
        return Ended(self._process.returncode, said.decode(), trouble.decode())


@contextlib.asynccontextmanager
async def command(
    config: Path, environment: Mapping[str, str], *arguments: str
) -> AsyncIterator[Linking]:
    """``relay ARGUMENTS -c CONFIG``; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "relay", *arguments, "-c", str(config)),
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Linking(process)
    try:
        yield running
    finally:
        await running.kill()
