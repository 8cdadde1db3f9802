"""``relay run`` as an administrator starts it, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_PATIENCE_S = 120.0  # on a machine that is busy with other tests

Line = dict[str, Any]


class Daemon:
    """A running relay and its log so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[Line] = []
        self.strange: list[str] = []
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read(), name="log of the relay")

    async def logged(self, event: str, **keys: object) -> Line:
        """The first line of that event with those keys, now or later."""

        def found() -> Line | None:
            wanted = {"event": event, **keys}
            return next((line for line in self.log if wanted.items() <= line.items()), None)

        line = await self._until(found)
        assert line is not None
        return line

    async def logged_times(self, event: str, times: int) -> None:
        """Back once there are so many lines of that event."""

        looked, counted = 0, 0

        def found() -> Line | None:
            nonlocal looked, counted
            new = self.log[looked:]
            looked, counted = len(self.log), counted + sum(one.get("event") == event for one in new)
            return self.log[-1] if counted >= times else None

        await self._until(found)

    async def terminate(self) -> int:
        """SIGTERM; its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int:
        """kill -9."""
        return await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(_PATIENCE_S):
            status = await self.process.wait()
            await self._reader
        return status

    async def _until(self, found: Callable[[], Line | None]) -> Line | None:
        try:
            async with asyncio.timeout(_PATIENCE_S), self._changed:
                await self._changed.wait_for(lambda: found() is not None or self._reader.done())
        except TimeoutError:
            pass
        line = found()
        assert line is not None, [*self.log, *self.strange]
        return line

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            text = raw.decode()
            try:
                self.log.append(json.loads(text))
            except ValueError:
                self.strange.append(text)
            async with self._changed:
                self._changed.notify_all()


@contextlib.asynccontextmanager
async def relay_run(
    config: Path, environment: Mapping[str, str], *, under: Sequence[str] = ()
) -> AsyncIterator[Daemon]:
    """``relay run -c CONFIG``; killed at the end if it still runs. ``under``: what starts it."""
    process = await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        "-m",
        "relay",
        "run",
        "-c",
        str(config),
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=None,  # the library's greeting and, if ever, the traceback of a crash
        limit=1 << 20,
    )
    daemon = Daemon(process)
    try:
        yield daemon
    finally:
        await daemon.kill()
