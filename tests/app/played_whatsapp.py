"""WhatsApp as the test plays it: what clients write, and what reaches them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relay.demo.pretended_whatsapp import payload
from relay.domain.session import SessionState
from tests.app.waiting import PATIENCE_S, Watched
from tests.app.wire_engine import LONGEST_LINE, Said

OWN = {"sales": "74950000001", "support": "74950000002"}
"""The numbers of the channels."""

_MOST_PATIENCE_S = 60.0

SENT_AT_MS = 1_790_000_000_000


@dataclass(slots=True)
class Sent:
    """A message that has reached WhatsApp on its way to a client."""

    channel: str
    to: str
    text: str
    crm_id: str
    tag: int
    answered: str | None = None


@dataclass(slots=True)
class Session:
    """A connection of one channel's engine."""

    channel: str
    writer: asyncio.StreamWriter
    open: bool = True

    def say(self, **said: object) -> None:
        """Say something, if anybody is there."""
        if self.open:
            self.writer.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")

    def stand(self, state: SessionState, reason: str = "as the test wills", own: str = "") -> None:
        """The session stands so now."""
        self.say(session={"state": state.value, "reason": reason, "own": own or None})


Answer = Callable[[Sent], dict[str, object] | None]
"""What WhatsApp says to a send; None: never anything."""


def delivered(sent: Sent) -> dict[str, object]:
    """It reached the client, under an id that follows from amoCRM's."""
    return {"result": "delivered", "id": f"ID-{sent.crm_id}"}


def silence(_: Sent) -> None:
    """Nothing, ever."""


@dataclass(slots=True, eq=False)
class _Offer:
    channel: str
    raw: str
    taken: asyncio.Future[None]
    offered: bool = False


class PlayedWhatsApp(Watched):
    """Holds what a client wrote until an engine has taken it, as WhatsApp does.

    ``online`` are the channels that are connected; those of ``mute`` are not even told how they
    stand. ``answer`` decides about each send, ``receipts`` whether deliveries are reported.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.sessions: list[Session] = []
        self.sent: list[Sent] = []
        self.arrived: set[str] = set()
        self.taken = 0
        self.refused = 0
        self.answer: Answer = delivered
        self.online: set[str] = {*OWN}
        self.mute: set[str] = set()
        self.receipts = False
        self._offers: dict[int, _Offer] = {}
        self._numbers = itertools.count()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let engines come."""
        self._server = await asyncio.start_unix_server(self._serve, self.path, limit=LONGEST_LINE)

    async def close(self) -> None:
        """Send everybody away."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- What happens on WhatsApp ---------------------------------------------------------------

    async def write(
        self,
        client: str,
        id_: str,
        text: str,
        *,
        channel: str = "sales",
        name: str = "Анна",
        from_phone: bool = False,
    ) -> None:
        """A client writes, or the owner to him on the phone.

        Back once an engine has taken it; offered again until then.
        """
        raw = payload.message(
            id_=id_, own=OWN[channel], client=client, name=name, from_phone=from_phone, text=text,
            at_ms=SENT_AT_MS,
        )  # fmt: skip
        await self.offer(raw.decode(), channel)

    async def receipt(self, id_: str, *, read: bool, channel: str = "sales") -> None:
        """A message of ours was delivered to the client's device, or read."""
        raw = payload.receipt(own=OWN[channel], ids=[id_], read=read, at_ms=SENT_AT_MS)
        await self.offer(raw.decode(), channel)

    async def offer(self, raw: str, channel: str = "sales") -> None:
        """Offer an event until it is taken; TimeoutError if that takes a minute."""
        offer = _Offer(channel, raw, asyncio.get_running_loop().create_future())
        number = next(self._numbers)
        self._offers[number] = offer
        self._show(channel)
        try:
            async with asyncio.timeout(_MOST_PATIENCE_S):
                await offer.taken
        finally:
            self._offers.pop(number, None)

    def session(self, channel: str = "sales") -> Session:
        """The open session of a channel, the latest if there are several."""
        return [s for s in self.sessions if s.open and s.channel == channel][-1]

    async def until_session(self, channel: str = "sales", count: int = 1) -> None:
        """Back once a channel's engine has come for the ``count``-th time."""
        await self.until(lambda: self.comings(channel) >= count, f"session {count} of {channel}")

    def comings(self, channel: str) -> int:
        """How often a channel's engine has come."""
        return sum(session.channel == channel for session in self.sessions)

    def go_online(self, channel: str = "sales") -> None:
        """The channel is connected, and so will be those that come."""
        self.online.add(channel)
        self.session(channel).stand(SessionState.CONNECTED, "connected", OWN[channel])
        self._show(channel)

    def go_offline(self, channel: str = "sales") -> None:
        """The channel is not connected, and nor will be those that come."""
        self.online.discard(channel)
        self.session(channel).stand(SessionState.RECONNECTING, "the network is gone")

    def tell(self, sent: Sent, answer: dict[str, object] | None) -> None:
        """Answer a send, at once or later; None: not now."""
        if answer is None:
            return
        sent.answered = str(answer["result"])
        self.session(sent.channel).say(outcome={"tag": sent.tag, **answer})
        if self.receipts and sent.answered == "delivered":
            receipt = self.receipt(str(answer["id"]), read=False, channel=sent.channel)
            task = asyncio.create_task(receipt, name="receipt")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def until_sent(self, count: int, within_s: float = PATIENCE_S) -> list[Sent]:
        """What has reached clients, once it is that much."""
        await self.until(lambda: len(self.sent) >= count, f"send {count}", within_s)
        return self.sent

    def texts_to(self, client: str) -> list[str]:
        """What has reached a client, in order."""
        return [sent.text for sent in self.sent if sent.to == client]

    def __str__(self) -> str:
        return f"WhatsApp: {self.taken} taken, {len(self._offers)} held, {len(self.sent)} sent"

    # --- What engines say -----------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._attend(reader, writer)
        except (OSError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if not line:
            return
        session = Session(json.loads(line)["hello"], writer)
        self._greet(session)
        try:
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    return  # killed in the middle of a word
                self._hear(session, json.loads(line))
                self.changed()
        finally:
            session.open = False
            self._forget_offers(session)
            self.changed()

    def _greet(self, session: Session) -> None:
        self.sessions.append(session)
        if session.channel in self.online:
            session.stand(SessionState.CONNECTED, "connected", OWN[session.channel])
        elif session.channel not in self.mute:
            session.stand(SessionState.CONNECTING, "the network is gone")
        self._show(session.channel)
        self.changed()

    def _hear(self, session: Session, said: Said) -> None:
        match said:
            case {"taken": int(number)}:
                self.taken += 1
                offer = self._offers.get(number)
                if offer is not None and not offer.taken.done():
                    offer.taken.set_result(None)
            case {"refused": int(number)}:
                self.refused += 1
                if number in self._offers:
                    asyncio.get_running_loop().call_later(0.1, self._again, session, number)
            case {"send": {"tag": int(tag), "to": str(to), "text": str(text), "crm_id": crm_id}}:
                sent = Sent(session.channel, to, text, str(crm_id), tag)
                self.sent.append(sent)
                self.arrived.add(sent.crm_id)
                self.tell(sent, self.answer(sent))

    def _again(self, session: Session, number: int) -> None:
        """A device asks again a moment after a refusal."""
        offer = self._offers.get(number)
        if offer is not None and session.open:
            session.say(event=number, raw=offer.raw)

    def _show(self, channel: str) -> None:
        """Show what is held for a channel to its session, if it has one."""
        if channel not in self.online:
            return
        for session in self.sessions[-4:]:
            if session.open and session.channel == channel:
                for number, offer in self._offers.items():
                    if offer.channel == channel and not offer.offered:
                        offer.offered = True
                        session.say(event=number, raw=offer.raw)

    def _forget_offers(self, session: Session) -> None:
        """What a session took along without taking it is offered to the next."""
        for offer in self._offers.values():
            if offer.channel == session.channel:
                offer.offered = False
        self._show(session.channel)
