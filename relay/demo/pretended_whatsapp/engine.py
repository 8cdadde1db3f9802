"""The simulated engine: a linked device of the pretended WhatsApp, behind the relay's own port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from relay.delivery.ports import Clock, HandOver, KeptFile, MediaGoneError, MediaWriter, Report
from relay.delivery.store import StoreRefusedError
from relay.demo.pretended_whatsapp.files import FileWire
from relay.demo.pretended_whatsapp.payload import read_payload
from relay.demo.pretended_whatsapp.things import picture_ref
from relay.demo.pretended_whatsapp.wire import LONGEST_LINE, Said, hear, say
from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.contents import Content, Kept, Media, Text
from relay.domain.ids import ClientAddress, OwnNumber, WhatsAppMessageId
from relay.domain.message import Failure, WhatsAppEvent
from relay.domain.outbox import Dead, Delivered, Outcome, Retry, Unknown
from relay.domain.reasons import Reason
from relay.domain.session import SessionState

_ANSWER_S = 10.0
_REFUSED_WAIT_MS = 500


class SimulatedEngine:
    """One channel's way to the pretended WhatsApp; implements ``relay.delivery.ports.Engine``."""

    can_check = True

    def __init__(self, channel: str, path: Path, clock: Clock, kept: KeptFile) -> None:
        self._channel = channel
        self._kept = kept
        self._path = path
        self._clock = clock
        self._writer: asyncio.StreamWriter | None = None
        self._online = False
        self._tag = 0
        self._sending: dict[int, asyncio.Future[Outcome]] = {}
        self._checking: dict[int, asyncio.Future[Mapping[str, bool | None]]] = {}
        self._files = FileWire(lambda: self._writer if self._online else None, self._next_tag)

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
        writer = self._writer
        if writer is None or not self._online:
            return Retry("not connected to WhatsApp")
        tag = self._next_tag()
        try:
            said = await self._said(tag, reply.content, writer)
        except MediaGoneError as error:
            return Dead(str(error), tell=Reason.FILE_MISSING)
        if said is None:
            return Dead(f"cannot send {reply.content.kind}", tell=Reason.UNSUPPORTED)
        quotes = {} if reply.quotes is None else {"quotes": reply.quotes.id}
        return await self._asked(
            writer, tag, {"send": {"tag": tag, "to": reply.to, **said, **quotes}}
        )

    async def _asked(self, writer: asyncio.StreamWriter, tag: int, wish: Said) -> Outcome:
        """Say it, and wait for what became of it."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._sending[tag] = answer
        say(writer, wish)
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except TimeoutError:
            return Unknown(f"WhatsApp did not answer within {_ANSWER_S:g} s")
        finally:
            self._sending.pop(tag, None)

    async def _said(self, tag: int, content: Content, writer: asyncio.StreamWriter) -> Said | None:
        """The content on the wire, its file before it; None if the wire has no such thing."""
        match content:
            case Text(text):
                return {"text": text}
            case Media(at=Kept(name)):
                await self._files.put(tag, self._kept(name), writer)
                file = {
                    "what": content.what.value,
                    "name": content.name,
                    "mime": content.mime,
                    "duration_s": content.duration_s,
                    "waveform": content.waveform,
                }
                return {"text": content.caption, "media": file}
            case _:
                return None

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """Bring a file that WhatsApp has."""
        await self._files.fetch(ref, write)

    async def avatar(self, of: ClientAddress, write: MediaWriter) -> None:
        """Bring the picture that a client shows of himself."""
        await self._files.fetch(picture_ref(of), write)

    def _next_tag(self) -> int:
        self._tag += 1
        return self._tag

    async def react(self, reaction: ReplyReaction) -> Outcome:
        """Put an emoji on a message; a repetition changes nothing."""
        writer = self._writer
        if writer is None or not self._online:
            return Retry("not connected to WhatsApp")
        tag = self._next_tag()
        wish = {"tag": tag, "target": reaction.target, "emoji": reaction.emoji}
        outcome = await self._asked(writer, tag, {"react": wish})
        return Retry(outcome.reason) if isinstance(outcome, Unknown) else outcome

    async def show_typing(self, to: ClientAddress) -> None:
        """Tell WhatsApp; whoever is not connected shows nothing."""
        if self._writer is not None and self._online:
            say(self._writer, {"typing": {"to": to}})

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        """Nobody knows."""
        del reply
        return ()

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        """Who of them has WhatsApp; None for all while it cannot be reached."""
        if self._writer is None or not self._online:
            return dict.fromkeys(numbers)
        tag = self._next_tag()
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
            case {"session": {"online": bool(online), "own": str(own)} as session}:
                paired = bool(session.get("paired", True))
                self._online = online and paired
                report(*_standing(online, paired), OwnNumber(own))
            case {"event": str(raw)}:
                await self._insist(hand_over, raw.encode())
            case {"sent": {"tag": int(tag)} as answer}:
                future = self._sending.pop(tag, None)
                if future is not None and not future.done():
                    future.set_result(_outcome(answer))
            case {"fetched": {"tag": int()} as answer}:
                self._files.heard(answer)
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
        self._files.give_up()
        for future in self._sending.values():
            if not future.done():
                future.set_result(Unknown(reason))
        for asked in self._checking.values():
            if not asked.done():
                asked.set_result({})


def _standing(online: bool, paired: bool) -> tuple[SessionState, str]:
    if not paired:
        return SessionState.LOGGED_OUT, "the device was removed on the phone; pair it again"
    if not online:
        return SessionState.RECONNECTING, "WhatsApp cannot be reached"
    return SessionState.CONNECTED, "connected"


def _outcome(answer: Said) -> Outcome:
    match answer:
        case {"result": "sent", "id": str(id_)}:
            return Delivered(id_)
        case {"result": "offline"}:
            return Retry("WhatsApp cannot be reached")
        case {"result": "no_message"}:
            return Dead("there is no such message")
        case {"result": "not_on_whatsapp"}:
            reason = Reason.NOT_ON_WHATSAPP
            return Dead(reason.value, Failure.NO_SUCH_CLIENT, tell=reason)
        case _:
            return Unknown("WhatsApp answered something strange")
