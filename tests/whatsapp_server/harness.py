"""Starts the real client in a process of its own and speaks with it, one JSON a line."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.whatsapp_server.inbox import PATIENCE_S, Inbox

QUIET = "QUIET_CLIENT"
"""In the process's environment, if it is to be quiet."""

_ROOT = Path(__file__).parents[2]
_LINE_BYTES = 64 * 1024 * 1024
# The library commits each of 812 prekeys by itself: with fsync a pairing takes seconds, not 0.6.
_WITHOUT_FSYNC = "?_foreign_keys=on&_synchronous=OFF&_x="
_WITH_FSYNC = "?_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL&_x="


class ClientError(RuntimeError):
    """The client's answer to a command was an error."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something the client reported; ``kind`` is ``message``, ``qr``, or the library's name."""

    kind: str
    values: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


class RealClient:
    """The unmodified client on one store; an async context manager that connects on entering.

    ``environment`` is the server's, or a spoilt copy of it. Leaving ends the process at once.
    ``durable``: its store outlives a power cut, as the relay's does. ``quiet``: its log is not
    brought into Python line by line, stanzas and all, as the library does by default.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        store: Path,
        *,
        connect: bool = True,
        durable: bool = False,
        quiet: bool = False,
    ) -> None:
        self.events: Inbox[Event] = Inbox(f"the client on {store.name}")
        self._lines: Inbox[bytes] = Inbox(f"the print of {store.name}")
        self._environment = dict(environment) | ({QUIET: "1"} if quiet else {})
        self._store = store
        self._settings = _WITH_FSYNC if durable else _WITHOUT_FSYNC
        self._connects = connect
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> RealClient:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.whatsapp_server.client_process",
            f"{self._store}{self._settings}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env=self._environment,
            limit=_LINE_BYTES,
        )
        self._readers = [
            asyncio.create_task(self._read_events(), name="events of the client"),
            asyncio.create_task(self._read_errors(), name="errors of the client"),
        ]
        if self._connects:
            await self.command("connect")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._readers)
        if error is not None:
            sys.stderr.write(b"".join(self._lines.history).decode(errors="replace"))

    @property
    def pid(self) -> int:
        assert self._process, "enter it first"
        return self._process.pid

    async def command(self, name: str, /, **values: Any) -> Any:
        """Has the client do something. Raises ``ClientError`` with the library's words."""
        assert self._process
        assert self._process.stdin
        number = next(self._numbers)
        line = json.dumps({"number": number, "name": name, "values": values})
        self._process.stdin.write(line.encode() + b"\n")
        done = await self.events.take(
            lambda event: event.kind == "done" and event["number"] == number,
            what=f"the end of {name}",
        )
        if "error" in done.values:
            raise ClientError(done["error"])
        return done["result"]

    async def event(self, kind: str, *, within_s: float = PATIENCE_S) -> Event:
        """Waits for the next event of this kind."""
        return await self.events.take(lambda e: e.kind == kind, what=kind, within_s=within_s)

    async def qr(self) -> str:
        """Waits for the text of the next QR code."""
        return str((await self.event("qr"))["text"])

    async def connected(self) -> None:
        """Waits until the client says that it is connected."""
        await self.event("Connected")

    async def message(self, text: str | None = None) -> Event:
        """Waits for the next message, or for the one with this text."""
        return await self.events.take(
            lambda e: e.kind == "message" and text in (None, e["text"]), what=f"message {text!r}"
        )

    async def send(self, to: str, text: str) -> str:
        """Sends a text; gives its id."""
        return str(await self.command("send", to=to, text=text))

    async def download(self, message: Event) -> bytes:
        """Fetches the medium of a message."""
        return base64.b64decode(await self.command("download", body=message["body"]))

    async def _read_events(self) -> None:
        assert self._process
        assert self._process.stdout
        async for line in self._process.stdout:
            values = json.loads(line)
            self.events.put(Event(values.pop("event"), values))

    async def died(self) -> int:
        """Waits until the process has ended by itself; gives its exit code."""
        assert self._process
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    async def printed(self, words: bytes) -> None:
        """Waits until the library has printed something; failures of pairing show only there."""
        await self._lines.take(lambda line: words in line, what=f"{words!r} in print")

    async def _read_errors(self) -> None:
        assert self._process
        assert self._process.stderr
        async for line in self._process.stderr:
            self._lines.put(line)
