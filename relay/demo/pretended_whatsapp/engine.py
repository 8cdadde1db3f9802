"""The simulated engine: a linked device of the pretended WhatsApp, behind the relay's own port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from relay.delivery.ledger import StoreRefusedError
from relay.delivery.ports import Clock, HandOver, MediaUnavailableError, MediaWriter, Report
from relay.demo.pretended_whatsapp.payload import read_payload
from relay.demo.pretended_whatsapp.wire import LONGEST_LINE, Said, hear, say
from relay.domain.contents import Text
from relay.domain.ids import OwnNumber, WhatsAppMessageId
from relay.domain.message import Failure, Reply, WhatsAppEvent
from relay.domain.outbox import Dead, Delivered, Outcome, Retry, Unknown
from relay.domain.session import SessionState
from relay.domain.texts import Reason

_ANSWER_S = 10.0
_REFUSED_WAIT_MS = 500


class SimulatedEngine:
    """One channel's way to the pretended WhatsApp; implements ``relay.delivery.ports.Engine``."""

    can_check = True

    def __init__(self, channel: str, path: Path, clock: Clock) -> None:
        self._channel = channel
        self._path = path
        self._clock = clock
        self._writer: asyncio.StreamWriter | None = None
        self._online = False
        self._tag = 0
        self._sending: dict[int, asyncio.Future[Outcome]] = {}
        self._checking: dict[int, asyncio.Future[Mapping[str, bool | None]]] = {}

    async def run(self, hand_over: HandOver, report: Report) -> None:
        """Hold the session until cancelled.

        Raises:
            OSError: the pretended WhatsApp cannot be reached, or has gone.
        """
        report(SessionState.CONNECTING, "connecting")
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LONGEST_LINE)
        self._writer = writer
        try:
            say(writer, {"hello": self._channel})
            while (said := await hear(reader)) is not None:
                await self._follow(said, hand_over, report)
            raise ConnectionResetError("WhatsApp closed the connection")
        finally:
            self._writer, self._online = None, False
            self._give_up("the connection to WhatsApp broke while this was being sent")
            writer.close()

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        """What was handed over, in the relay's words.

        Raises:
            ValueError: the payload makes no sense.
        """
        return read_payload(payload)

    async def prepare(self, reply: Reply) -> Outcome | None:
        """There is nothing to bring."""
        del reply
        return None

    async def send(self, reply: Reply) -> Outcome:
        """Send once."""
        if not isinstance(reply.content, Text):
            return Dead(f"cannot send {reply.content.kind}", tell=Reason.UNSUPPORTED)
        if self._writer is None or not self._online:
            return Retry("not connected to WhatsApp")
        tag = self._tag = self._tag + 1
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._sending[tag] = answer
        wish = {"tag": tag, "to": reply.to, "text": reply.content.text}
        say(self._writer, {"send": wish})
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except TimeoutError:
            return Unknown(f"WhatsApp did not answer within {_ANSWER_S:g} s")
        finally:
            self._sending.pop(tag, None)

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """There is nothing to bring."""
        del write
        raise MediaUnavailableError(ref)

    async def show_typing(self, reply: Reply) -> None:
        """It has no way to."""
        del reply

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        """Nobody knows."""
        del reply
        return ()

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        """Who of them has WhatsApp; None for all while it cannot be reached."""
        if self._writer is None or not self._online:
            return dict.fromkeys(numbers)
        tag = self._tag = self._tag + 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Mapping[str, bool | None]] = loop.create_future()
        self._checking[tag] = answer
        say(self._writer, {"check": {"tag": tag, "numbers": list(numbers)}})
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except TimeoutError:
            return dict.fromkeys(numbers)
        finally:
            self._checking.pop(tag, None)

    async def _follow(self, said: Said, hand_over: HandOver, report: Report) -> None:
        match said:
            case {"session": {"online": bool(online), "own": str(own)}}:
                self._online = online
                state = SessionState.CONNECTED if online else SessionState.RECONNECTING
                reason = "connected" if online else "WhatsApp cannot be reached"
                report(state, reason, OwnNumber(own))
            case {"event": str(raw)}:
                await self._insist(hand_over, raw.encode())
            case {"sent": {"tag": int(tag)} as answer}:
                future = self._sending.pop(tag, None)
                if future is not None and not future.done():
                    future.set_result(_outcome(answer))
            case {"checked": {"tag": int(tag), "there": dict(there)}}:
                asked = self._checking.pop(tag, None)
                if asked is not None and not asked.done():
                    asked.set_result(there)

    async def _insist(self, hand_over: HandOver, payload: bytes) -> None:
        """Hand over; while the disk refuses, WhatsApp keeps it and the device asks again."""
        while True:
            try:
                await hand_over(payload)
            except StoreRefusedError:
                await self._clock.sleep_ms(_REFUSED_WAIT_MS)
            else:
                break
        if self._writer is not None:
            say(self._writer, {"taken": True})

    def _give_up(self, reason: str) -> None:
        for future in self._sending.values():
            if not future.done():
                future.set_result(Unknown(reason))
        for asked in self._checking.values():
            if not asked.done():
                asked.set_result({})


def _outcome(answer: Said) -> Outcome:
    match answer:
        case {"result": "sent", "id": str(id_)}:
            return Delivered(id_)
        case {"result": "offline"}:
            return Retry("WhatsApp cannot be reached")
        case {"result": "not_on_whatsapp"}:
            reason = Reason.NOT_ON_WHATSAPP
            return Dead(reason.value, Failure.NO_SUCH_CLIENT, tell=reason)
        case _:
            return Unknown("WhatsApp answered something strange")
