"""The door of the pretended WhatsApp: linked devices come in over a Unix socket."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path
from types import TracebackType
from typing import Self

from relay.demo.pretended_whatsapp.linking import offer
from relay.demo.pretended_whatsapp.sequels import relay_reacts
from relay.demo.pretended_whatsapp.things import Attachment, Bubble, Line
from relay.demo.pretended_whatsapp.wire import LONGEST_LINE, PIECE, Said, hear, say
from relay.demo.pretended_whatsapp.world import World


class Exchange:
    """Serves linked devices from entering to leaving. A newcomer takes a channel over."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._path = path
        self._devices: dict[str, _Device] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(
            self._serve, self._path, limit=LONGEST_LINE, start_serving=True
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine of the server runs in a task
        self._tasks.add(task)
        try:
            await self._attend(reader, writer)
        except (ValueError, OSError, asyncio.CancelledError):
            return  # a device that talks nonsense, or the end: either way it is sent away
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await hear(reader)
        if hello is not None and "link" in hello:
            await offer(self._world, hello, reader, writer)
            return
        if hello is None or not isinstance(hello.get("hello"), str):
            return
        channel: str = hello["hello"]
        before = self._devices.get(channel)
        if before is not None:
            before.dismiss()
        device = _Device(self._world, self._world.line(channel), writer)
        self._devices[channel] = device
        self._world.link(channel, True)
        forget = self._world.on_change(device.look)
        try:
            device.look()
            while (said := await hear(reader)) is not None:
                device.hear(said)
        finally:
            forget()
            if self._devices.get(channel) is device:
                del self._devices[channel]
                self._world.link(channel, False)


class _Device:
    """One linked device: what it was told and what it is yet to take."""

    def __init__(self, world: World, line: Line, writer: asyncio.StreamWriter) -> None:
        self._world = world
        self._line = line
        self._writer = writer
        self._told: tuple[bool, bool] | None = None
        self._shown = False
        self._coming: dict[int, bytearray] = {}

    def dismiss(self) -> None:
        """Another device has come for the channel."""
        self._writer.close()

    def look(self) -> None:
        """Tell the session if it changed, and show the first of what is held."""
        now = self._line.online, self._line.paired
        if self._told != now:
            self._told = now
            session = {"online": now[0], "paired": now[1], "own": self._line.number}
            say(self._writer, {"session": session})
        if self._line.carries and self._line.held and not self._shown:
            self._shown = True
            say(self._writer, {"event": self._line.held[0].raw.decode()})

    def hear(self, said: Said) -> None:
        """The device has said something."""
        if said.get("taken") and self._shown:
            self._shown = False
            self._world.taken(self._line.channel)
        if isinstance(said.get("send"), dict):
            self._send(said["send"])
        if isinstance(said.get("piece"), dict):
            piece = said["piece"]
            self._coming.setdefault(piece["tag"], bytearray()).extend(b64decode(piece["data"]))
        if isinstance(said.get("fetch"), dict):
            self._fetch(said["fetch"])
        if isinstance(said.get("react"), dict):
            self._react(said["react"])
        if isinstance(said.get("typing"), dict) and self._line.carries:
            self._world.type(self._line.channel, str(said["typing"]["to"]))
        if isinstance(said.get("check"), dict):
            self._check(said["check"])
        self.look()

    def _send(self, wish: Said) -> None:
        answer: Said = {"tag": wish["tag"], "result": "offline"}
        if self._line.carries:
            file = self._attachment(wish)
            to, text = str(wish["to"]), str(wish["text"])
            quotes = str(wish["quotes"]) if "quotes" in wish else None
            answer |= _result(self._world.send(self._line.channel, to, text, file, quotes))
        say(self._writer, {"sent": answer})

    def _react(self, wish: Said) -> None:
        answer: Said = {"tag": wish["tag"], "result": "offline"}
        if self._line.carries:
            target = str(wish["target"])
            there = relay_reacts(self._world, target, str(wish["emoji"]))
            answer |= {"result": "sent", "id": target} if there else {"result": "no_message"}
        say(self._writer, {"sent": answer})

    def _attachment(self, wish: Said) -> Attachment | None:
        told = wish.get("media")
        data = bytes(self._coming.pop(wish["tag"], b""))
        if not isinstance(told, dict):
            return None
        return Attachment(
            told["what"],
            data,
            told["name"],
            told["mime"],
            told["duration_s"],
            tuple(told["waveform"]),
        )

    def _fetch(self, wish: Said) -> None:
        answer: Said = {"tag": wish["tag"], "result": "offline"}
        if self._line.carries:
            data, start = self._world.file(str(wish["ref"])), int(wish["offset"])
            if data is None:
                answer["result"] = "gone"
            else:
                piece = b64encode(data[start : start + PIECE]).decode()
                answer |= {"result": "piece", "data": piece}
        say(self._writer, {"fetched": answer})

    def _check(self, wish: Said) -> None:
        numbers = [str(number) for number in wish["numbers"]]
        online = self._line.carries
        there = {n: self._world.person_of(n) is not None for n in numbers} if online else {}
        say(self._writer, {"checked": {"tag": wish["tag"], "there": there}})


def _result(bubble: Bubble | None) -> Said:
    if bubble is None:
        return {"result": "not_on_whatsapp"}
    return {"result": "sent", "id": bubble.id}
