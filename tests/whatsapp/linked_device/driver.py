"""Runs one linked device in a process of its own, driven by lines of JSON; a test's far hand.

What the engine hands over goes into a file, flushed to the disk before the engine goes on, one
hexadecimal line a payload: so a test can kill this process and see what was kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import structlog

from relay.app.clock import SystemClock
from relay.delivery.codec import load_body
from relay.delivery.ports import MediaGoneError, MediaUnavailableError, MediaWriter
from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.contents import Text
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber
from relay.domain.retry import RetryPolicy
from relay.domain.session import SessionState
from relay.whatsapp.linked_device import (
    LinkedDevice,
    exit_process,
    mute_library_output,
    reexec_if_needed,
)


class FileHandOver:
    """Keeps payloads in a file and tells that they are kept."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.delay_s = 0.0

    async def __call__(self, payload: bytes) -> None:
        self.from_thread(payload)

    def from_thread(self, payload: bytes) -> None:
        time.sleep(self.delay_s)
        os.write(self._file, payload.hex().encode() + b"\n")
        os.fsync(self._file)
        say("kept", payload=payload.hex())


def say(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def report(state: SessionState, reason: str, own: OwnNumber | None = None) -> None:
    say("state", state=state.value, reason=reason, own=own)


async def drive(engine: LinkedDevice, hand_over: FileHandOver) -> None:
    """Obeys until the line "stop" or the end of the input."""
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = asyncio.create_task(engine.run(hand_over, report))
    sends: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        order = json.loads(line)
        match order["do"]:
            case "send":
                task = asyncio.create_task(send(engine, order))
                sends.add(task)
                task.add_done_callback(sends.discard)
            case "fetch":
                task = asyncio.create_task(fetch(engine, order))
                sends.add(task)
                task.add_done_callback(sends.discard)
            case "avatar":
                task = asyncio.create_task(avatar(engine, order))
                sends.add(task)
                task.add_done_callback(sends.discard)
            case "forget_peak":
                forget_peak()
                say("memory", kilobytes=memory("VmRSS"))
            case "tell_peak":
                say("memory", kilobytes=memory("VmHWM"))
            case "react":
                body = load_body(order["body"].encode())
                assert isinstance(body, ReplyReaction)
                say("reacted", kind=type(await engine.react(body)).__name__)
            case "type":
                await engine.show_typing(reply_of(order).to)
                say("typed")
            case "check":
                say("checked", there=await engine.check(order["numbers"]))
            case "paired":
                engine.paired()
            case "delay":
                hand_over.delay_s = order["seconds"]
            case "stop":
                break
    running.cancel()
    await asyncio.wait([running])
    say("stopped", cancelled=running.cancelled())


async def fetch(engine: LinkedDevice, order: dict[str, str]) -> None:
    """A medium, into a file."""
    await bring(order["to"], lambda write: engine.fetch(order["ref"], write))


async def avatar(engine: LinkedDevice, order: dict[str, str]) -> None:
    """Somebody's picture, into a file."""
    await bring(order["to"], lambda write: engine.avatar(ClientAddress(order["of"]), write))


async def bring(to: str, source: Callable[[MediaWriter], Awaitable[None]]) -> None:
    """Into a file; the way of a relay's own store."""
    error: Exception | None = None
    with Path(to).open("wb") as file:  # noqa: ASYNC230 - of a test's own machine

        async def write(piece: bytes) -> None:
            await asyncio.to_thread(file.write, piece)

        try:
            await source(write)
        except (MediaGoneError, MediaUnavailableError) as caught:
            error = caught
    say("fetched", to=to, error=type(error).__name__ if error else None, words=str(error))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def memory(name: str) -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition(f"{name}:")[2].split()[0])


def reply_of(order: dict[str, str]) -> Reply:
    if body := order.get("body"):
        reply = load_body(body.encode())
        assert isinstance(reply, Reply)
        return reply
    return Reply(
        conversation=ConversationId("wa-1-2"),
        crm_id=CrmMessageId(f"crm-{order['number']}"),
        channel=ChannelId("sales"),
        own=OwnNumber(order["own"]),
        to=ClientAddress(order["to"]),
        content=Text(order["text"]),
    )


async def send(engine: LinkedDevice, order: dict[str, str]) -> None:
    outcome = await engine.send(reply_of(order))
    say("outcome", number=order["number"], kind=type(outcome).__name__, **asdict(outcome))


def hold_library() -> None:
    """Keep the library where it is after its handshake: in printing a line that nobody takes."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    _, full = os.pipe()
    os.set_blocking(full, False)
    with suppress(BlockingIOError):
        while True:
            os.write(full, b"." * 4096)
    os.set_blocking(full, True)
    os.dup2(full, 2)


def main() -> None:
    reexec_if_needed()
    if "HOLD_LIBRARY" in os.environ:
        hold_library()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    mute_library_output()
    store, kept, phone = sys.argv[1:]
    quick = RetryPolicy(ladder_ms=(50, 100, 200, 400), jitter=0.0)
    clock = SystemClock()

    async def live() -> None:
        engine = LinkedDevice(
            ChannelId("sales"), Path(store), phone or None, None, clock, kept=Path, retry=quick
        )
        await drive(engine, FileHandOver(Path(kept)))

    asyncio.run(live())
    exit_process(0)


if __name__ == "__main__":
    main()
