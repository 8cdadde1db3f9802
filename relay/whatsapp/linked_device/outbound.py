"""Sends through a session: one message at a time, and never one twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.contents import Media
from relay.domain.ids import ChannelId, ClientAddress, OwnNumber, WhatsAppMessageId
from relay.domain.outbox import Dead, Outcome, Retry, Unknown
from relay.domain.reasons import Reason
from relay.whatsapp.linked_device.addressing import NUMBER_SERVER, server_and_user
from relay.whatsapp.linked_device.client import Client
from relay.whatsapp.linked_device.library_log import without_numbers
from relay.whatsapp.linked_device.marks import ids_of, marked
from relay.whatsapp.linked_device.numbers import chat_used
from relay.whatsapp.linked_device.outcomes import outcome_of
from relay.whatsapp.linked_device.protobufs import as_text, jid_bytes
from relay.whatsapp.linked_device.sequels import quoting, reaction_message
from relay.whatsapp.linked_device.uploads import Uploads

SEND_LIMIT_S = 90.0  # above the library's own 75 s
TURN_LIMIT_S = 20.0
TYPING_LIMIT_S = 5.0

log = structlog.get_logger(__name__)


class Outbound:
    """What goes out of one channel.

    ``session``: its database. ``online`` gives the client, if it is connected; ``learn`` is told
    which hidden address a number turned out to have. ``turn`` is held while a message is sent.
    """

    def __init__(
        self,
        channel: ChannelId,
        session: Path,
        uploads: Uploads,
        online: Callable[[], Client | None],
        learn: Callable[[str, str], None],
    ) -> None:
        self.turn = asyncio.Lock()
        self._channel = channel
        self._session = session
        self._uploads = uploads
        self._online = online
        self._learn = learn

    async def prepare(self, reply: Reply) -> Outcome | None:
        """See :meth:`relay.delivery.ports.Engine.prepare`."""
        if not isinstance(reply.content, Media):
            return None
        message = await self._uploads.message(reply, self._online())
        return None if isinstance(message, bytes) else message

    async def send(self, reply: Reply) -> Outcome:
        """See :meth:`relay.delivery.ports.Engine.send`."""
        way = server_and_user(reply.to)
        if way is None:
            return Dead("not an address of a linked device", tell=Reason.INTERNAL)
        message = await self._uploads.message(reply, self._online())
        if not isinstance(message, bytes):
            return message
        if reply.quotes is not None:
            message = quoting(message, reply.quotes, way, reply.own)
        to = jid_bytes(way[1], way[0])
        answer = await self._in_turn(reply.own, to, marked(message, reply))
        if isinstance(answer, bytes):
            self._note_address(way, answer)
            answer = outcome_of(answer)
        if not isinstance(answer, Retry):
            self._uploads.forget(reply)
        if isinstance(answer, Unknown):
            return replace(answer, sent_as=await self.sent_as(reply))
        return answer

    async def react(self, reaction: ReplyReaction) -> Outcome:
        """See :meth:`relay.delivery.ports.Engine.react`."""
        way = server_and_user(reaction.to)
        if way is None:
            return Dead("not an address of a linked device")
        message = reaction_message(reaction, way)
        answer = await self._in_turn(reaction.own, jid_bytes(way[1], way[0]), message)
        outcome = outcome_of(answer) if isinstance(answer, bytes) else answer
        # Nobody sees a repetition: the same emoji of the same number stays the same.
        return Retry(outcome.reason) if isinstance(outcome, Unknown) else outcome

    async def _in_turn(self, own: OwnNumber, to: bytes, message: bytes) -> Outcome | bytes:
        """The library's answer, or what became of the send without one."""
        try:
            async with asyncio.timeout(TURN_LIMIT_S):
                await self.turn.acquire()
        except TimeoutError:
            return Retry("not sent: the channel is busy with another message")
        try:
            return await self._send(own, to, message)
        finally:
            self.turn.release()

    async def _send(self, own: OwnNumber, to: bytes, message: bytes) -> Outcome | bytes:
        client = self._online()
        if client is None:
            return Retry("not sent: the channel is not connected")
        if client.own != own:
            return Retry("not sent: the channel now holds another number")
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                answer = await client.calls.send(to, message)
        except TimeoutError:
            return Unknown(f"the library did not answer within {SEND_LIMIT_S:g} s")
        return Retry("not sent: the channel is not connected") if answer is None else answer

    def _note_address(self, way: tuple[str, str], answer: bytes) -> None:
        server, user = way
        if server == NUMBER_SERVER and (hidden := chat_used(answer)) is not None:
            self._learn(hidden, user)

    async def show_typing(self, to: ClientAddress) -> None:
        """See :meth:`relay.delivery.ports.Engine.show_typing`."""
        way, client = server_and_user(to), self._online()
        if way is None or client is None:
            return
        jid = jid_bytes(way[1], way[0])
        with suppress(TimeoutError):
            async with asyncio.timeout(TYPING_LIMIT_S):
                error = await client.calls.ask(
                    "typing", lambda lib, name: lib.show_typing(name, jid)
                )
            if error:
                words = without_numbers(as_text(error))
                log.debug("typing_not_shown", channel=self._channel, error=words)

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        """See :meth:`relay.delivery.ports.Engine.sent_as`."""
        return await ids_of(self._session, reply)
