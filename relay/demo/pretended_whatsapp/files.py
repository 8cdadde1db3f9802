"""Files over the wire to the pretended WhatsApp: brought piece by piece, and put before a send."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from relay.delivery.ports import MediaGoneError, MediaUnavailableError, MediaWriter
from relay.demo.pretended_whatsapp.wire import PIECE, Said, say

_ANSWER_S = 10.0


class FileWire:
    """One device's files. ``writer`` is its wire while WhatsApp can be reached."""

    def __init__(
        self, writer: Callable[[], asyncio.StreamWriter | None], next_tag: Callable[[], int]
    ) -> None:
        self._writer = writer
        self._next_tag = next_tag
        self._asked: dict[int, asyncio.Future[Said]] = {}

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """Bring a file.

        Raises:
            MediaGoneError: WhatsApp has it no more.
            MediaUnavailableError: WhatsApp cannot be reached, or went in between.
        """
        offset = 0
        while True:
            piece = await self._piece(ref, offset)
            await write(piece)
            if len(piece) < PIECE:
                return
            offset += len(piece)

    async def put(self, tag: int, path: Path, writer: asyncio.StreamWriter) -> None:
        """Send the bytes of the file that goes with the send of that tag."""
        with await asyncio.to_thread(path.open, "rb") as file:
            while data := await asyncio.to_thread(file.read, PIECE):
                say(writer, {"piece": {"tag": tag, "data": b64encode(data).decode()}})
                await writer.drain()

    def heard(self, answer: Said) -> None:
        """WhatsApp has answered."""
        asked = self._asked.pop(answer["tag"], None)
        if asked is not None and not asked.done():
            asked.set_result(answer)

    def give_up(self) -> None:
        """Nobody will answer any more."""
        for tag in tuple(self._asked):
            self.heard({"tag": tag, "result": "offline"})

    async def _piece(self, ref: str, offset: int) -> bytes:
        writer = self._writer()
        if writer is None:
            raise MediaUnavailableError("WhatsApp cannot be reached")
        tag = self._next_tag()
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._asked[tag] = answer
        say(writer, {"fetch": {"tag": tag, "ref": ref, "offset": offset}})
        try:
            async with asyncio.timeout(_ANSWER_S):
                said = await answer
        except TimeoutError as error:
            raise MediaUnavailableError("WhatsApp does not answer") from error
        finally:
            self._asked.pop(tag, None)
        match said:
            case {"result": "piece", "data": str(data)}:
                return b64decode(data)
            case {"result": "gone"}:
                raise MediaGoneError("WhatsApp has it no more")
            case _:
                raise MediaUnavailableError("WhatsApp cannot be reached")
