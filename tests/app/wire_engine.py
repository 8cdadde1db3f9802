"""An engine whose WhatsApp is the test: one Unix socket, one JSON object a line.

engine  {"hello": CHANNEL}                              once, first, at every start of a session
test    {"session": {"state", "reason", "own"}}
test    {"event": N, "raw": TEXT}
engine  {"taken": N}                                    once it is durable
engine  {"refused": N}                                  the disk refused; offer it again
engine  {"send": {"tag", "to", "text", "crm_id"}}
test    {"outcome": {"tag", "result": …, "id" or "reason"}}
test    {"fail": REASON}                                the session breaks
test    {"stubborn": true}                              the session will not stop when told to
test    {"clock_ms": N}                                 the wall clock is N off from now on
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relay.app.clock import SystemClock
from relay.config.channel import Channel
from relay.delivery.ports import (
    Clock,
    Engine,
    HandOver,
    KeptFiles,
    Report,
)
from relay.delivery.store import StoreRefusedError
from relay.demo.pretended_whatsapp.payload import read_payload
from relay.domain.bodies import Reply
from relay.domain.contents import Text
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.message import Failure, WhatsAppEvent
from relay.domain.outbox import Closed, Dead, Delivered, Outcome, Retry, Unknown
from relay.domain.session import SessionState
from tests.idle_engine import IdleEngine

SOCKET_VARIABLE = "WIRE_SOCKET"
CLOCK_VARIABLE = "WIRE_CLOCK_MS"
LONGEST_LINE = 1024 * 1024

Said = dict[str, Any]


class MovableClock(SystemClock):
    """The real clock, but the wall may be set by the test, as an administrator or NTP sets it."""

    offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + MovableClock.offset_ms


def wire_engine(
    id_: ChannelId, channel: Channel, storage: Path, clock: Clock, files: KeptFiles
) -> Engine:
    """An engine factory: every channel, whatever its engine, is played by the test."""
    del channel, storage, clock, files
    return WireEngine(id_, Path(os.environ[SOCKET_VARIABLE]))


class WireEngine(IdleEngine):
    """One channel's way to the test."""

    def __init__(self, channel: str, path: Path) -> None:
        self._channel = channel
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._online = False
        self._stubborn = False
        self._tags = 0
        self._sending: dict[int, asyncio.Future[Outcome]] = {}

    async def run(self, hand_over: HandOver, report: Report) -> None:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LONGEST_LINE)
        self._writer = writer
        try:
            self._say({"hello": self._channel})
            async with asyncio.TaskGroup() as intakes:
                end = await self._listen(reader, hand_over, report, intakes)
            raise end
        finally:
            if self._stubborn:
                await asyncio.shield(asyncio.Event().wait())
            self._give_up()
            self._writer, self._online = None, False
            writer.close()

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        return read_payload(payload)

    async def send(self, reply: Reply) -> Outcome:
        if not isinstance(reply.content, Text):
            return Dead(f"cannot send {reply.content.kind}")
        if self._writer is None or not self._online:
            return Retry("not connected to WhatsApp")
        self._tags += 1
        tag = self._tags
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._sending[tag] = answer
        text = reply.content.text
        self._say({"send": {"tag": tag, "to": reply.to, "text": text, "crm_id": reply.crm_id}})
        try:
            return await answer
        finally:
            self._sending.pop(tag, None)

    async def _listen(
        self,
        reader: asyncio.StreamReader,
        hand_over: HandOver,
        report: Report,
        intakes: asyncio.TaskGroup,
    ) -> Exception:
        """Follow what the test says; why that came to an end."""
        while line := await reader.readline():
            said: Said = json.loads(line)
            if "fail" in said:
                return RuntimeError(said["fail"])
            self._follow(said, hand_over, report, intakes)
        return ConnectionResetError("WhatsApp closed the connection")

    def _follow(
        self, said: Said, hand_over: HandOver, report: Report, intakes: asyncio.TaskGroup
    ) -> None:
        match said:
            case {"session": {"state": str(state), "reason": str(reason), "own": own}}:
                self._online = state == SessionState.CONNECTED
                report(SessionState(state), reason, OwnNumber(own) if own else None)
            case {"event": int(number), "raw": str(raw)}:
                # A task each, begun in the order of the events: so many share one commit.
                intakes.create_task(self._take(hand_over, number, raw.encode()))
            case {"outcome": {"tag": int(tag)} as outcome}:
                answer = self._sending.get(tag)
                if answer is not None and not answer.done():
                    answer.set_result(_outcome(outcome))
            case {"stubborn": True}:
                self._stubborn = True
            case {"clock_ms": int(offset)}:
                MovableClock.offset_ms = offset

    async def _take(self, hand_over: HandOver, number: int, raw: bytes) -> None:
        try:
            await hand_over(raw)
        except StoreRefusedError:
            self._say({"refused": number})
        else:
            self._say({"taken": number})

    def _say(self, said: Said) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")

    def _give_up(self) -> None:
        for answer in self._sending.values():
            if not answer.done():
                answer.set_result(Unknown("the connection broke while this was being sent"))


def _outcome(said: Said) -> Outcome:
    match said["result"]:
        case "delivered":
            return Delivered(said["id"])
        case "retry":
            return Retry(said["reason"], said.get("after_ms"))
        case "closed":
            return Closed(said["reason"])
        case "nobody":
            return Dead("no such client", Failure.NO_SUCH_CLIENT)
        case _:
            return Unknown(said["reason"])
