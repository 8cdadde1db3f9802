"""One life of a relay in a process of its own: its log, its exit, its ports, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.app.nursery import Nursery
from tests.app.waiting import PATIENCE_S, Watched
from tests.app.wire_engine import SOCKET_VARIABLE

LogLine = dict[str, Any]

_LONGEST_LINE = 4 * 1024 * 1024


@dataclass(slots=True)
class Outfit:
    """What a relay is started with. ``listening``: sockets handed down, by their names."""

    config: Path
    whatsapp: Path
    notify: Path | None = None
    listening: dict[str, socket.socket] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """The environment of the process, but for its own pid."""
        variables = {
            "PATH": os.environ["PATH"],
            "NEONIZE_BOT_TAG": "off",
            SOCKET_VARIABLE: str(self.whatsapp),
            **self.environment,
        }
        if self.notify is not None:
            variables["NOTIFY_SOCKET"] = str(self.notify)
        if self.listening:
            variables["LISTEN_FDS"] = str(len(self.listening))
            variables["LISTEN_FDNAMES"] = ":".join(self.listening)
        return variables


class RelayProcess(Watched):
    """A running relay. Lines of its log that are not JSON are a fault of the relay."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[LogLine] = []
        self.errors = ""
        self.pid = 0
        self.exit_status: int | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._open: list[asyncio.BaseTransport | asyncio.StreamWriter] = []

    async def start(self, nursery: Nursery, outfit: Outfit) -> None:
        """Start it; back as soon as there is a process."""
        leash, their_leash = socket.socketpair()
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        nursery.fork(
            ["run", "-c", str(outfit.config)],
            outfit.variables(),
            leash=their_leash.fileno(),
            output=out_write,
            errors=err_write,
            listening=[sock.fileno() for sock in outfit.listening.values()],
        )
        their_leash.close()
        os.close(out_write)
        os.close(err_write)
        reader, writer = await asyncio.open_connection(sock=leash)
        self._open.append(writer)
        self._follow("log", self._read_log(await self._pipe(out_read)))
        self._follow("errors", self._read_errors(await self._pipe(err_read)))
        self.pid = int(await reader.readline())
        self._follow("exit", self._read_exit(reader))

    async def until_ready(self) -> None:
        """Back once it says in its log that it is ready."""
        await self.until(lambda: self.ended or self.logged("ready") != [], "ready")
        assert not self.ended, f"it ended instead of getting ready: {self}"

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """``kill -9``."""
        if not self.ended:
            self.signal(signal.SIGKILL)
        await self.until_ended()

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        self.signal(signal.SIGTERM)
        return await self.until_ended()

    async def until_ended(self, within_s: float = PATIENCE_S) -> int:
        """Its exit status, once all that it had to say is read."""
        await self.until(lambda: self.ended, "the end", within_s)
        await asyncio.gather(*self._tasks)
        while self._open:
            self._open.pop().close()
        assert self.exit_status is not None
        return self.exit_status

    @property
    def ended(self) -> bool:
        """Whether there is no process any more."""
        return self.exit_status is not None

    def logged(self, event: str, **fields: object) -> list[LogLine]:
        """The lines of its log with that event and those fields."""
        wanted = {"event": event, **fields}
        return [line for line in self.log if wanted.items() <= line.items()]

    async def until_logged(self, event: str, count: int = 1, **fields: object) -> LogLine:
        """The ``count``-th such line of its log, once it is there."""
        await self.until(
            lambda: self.ended or len(self.logged(event, **fields)) >= count, f"{event} {fields}"
        )
        lines = self.logged(event, **fields)
        assert len(lines) >= count, f"it ended without saying {event} {fields}: {self}"
        return lines[count - 1]

    @property
    def hooks_url(self) -> str:
        """Where it listens for hooks."""
        return f"http://{self.logged('listening')[0]['hooks']}"

    @property
    def admin_url(self) -> str:
        """Where it tells how it is."""
        return f"http://{self.logged('listening')[0]['admin']}"

    def __str__(self) -> str:
        tail = "\n".join(json.dumps(line, ensure_ascii=False) for line in self.log[-15:])
        return f"pid {self.pid}, exit {self.exit_status}\n{tail}\n{self.errors[-3000:]}"

    def _follow(self, name: str, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _pipe(self, descriptor: int) -> asyncio.StreamReader:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        pipe = os.fdopen(descriptor, "rb", 0)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._open.append(transport)
        return reader

    async def _read_log(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.errors += f"not JSON on standard output: {line!r}\n"
            self.changed()

    async def _read_errors(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(_LONGEST_LINE):
            self.errors += piece.decode(errors="replace")

    async def _read_exit(self, reader: asyncio.StreamReader) -> None:
        line = await reader.readline()
        self.exit_status = int(line) if line else -signal.SIGKILL
        self.changed()
