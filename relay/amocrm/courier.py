"""Carries letters into amoCRM: translate, sign, post, decipher."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Protocol

import structlog

from relay.amocrm import translate
from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.answers import Alarm, Answer, Verdict, decipher
from relay.amocrm.contents import Link, shown
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import UnreachableError
from relay.amocrm.protocol import Request
from relay.amocrm.revisions import NoBotError, reaction_request, revision_request
from relay.delivery.repeating import RepeatingCourier
from relay.domain.bodies import (
    ErrorReply,
    Fetch,
    NewMessage,
    PhoneRewrite,
    Reaction,
    Reply,
    ReplyReaction,
    Revision,
    StatusUpdate,
)
from relay.domain.contents import private_words
from relay.domain.ids import ChannelId, ClientAddress
from relay.domain.outbox import Dead, Delivered, Entry, Outcome, Retry
from relay.domain.reasons import Reason
from relay.domain.retry import SECOND
from relay.domain.settings import Language

NO_SCOPE_PAUSE_MS: Final = SECOND
"""How soon to look again whether the account has become known."""

_log = structlog.get_logger()


Avatar = Callable[[ChannelId, ClientAddress], Awaitable[str | None]]
"""The name of the kept file with the picture of a channel's client; None: there is none. It never
takes long, and never raises."""


class Poster(Protocol):
    """Signs and sends: the chats client."""

    async def post(self, request: Request) -> Answer:
        """The answer."""
        ...


class Scope(Protocol):
    """The channel's connection, as far as a courier needs it."""

    @property
    def scope_id(self) -> str | None:
        """The scope; None until it is known."""
        ...

    def reconnect(self) -> None:
        """Ask for a new connect."""
        ...


class ChatsCourier(RepeatingCourier):
    """The courier of letters for amoCRM; it may repeat, for ``msgid`` tells a repetition."""

    def __init__(
        self,
        *,
        client: Poster,
        connection: Scope,
        credentials: CredentialsHolder,
        alarm: CredentialsAlarm,
        language: Callable[[], Language],
        link: Link,
        rewrite_phones: Callable[[PhoneRewrite], Awaitable[Outcome]],
        avatar: Avatar,
    ) -> None:
        self._client = client
        self._connection = connection
        self._credentials = credentials
        self._alarm = alarm
        self._language = language
        self._link = link
        self._rewrite_phones = rewrite_phones
        self._avatar = avatar

    def why_late(self, entry: Entry) -> Reason:
        """Nobody is told of what amoCRM does not get."""
        del entry
        return Reason.EXPIRED

    async def deliver(self, entry: Entry) -> Outcome:
        """One attempt. Never raises but for cancellation."""
        scope_id = self._connection.scope_id
        if scope_id is None:
            return Retry("the amoCRM account is not known yet", NO_SCOPE_PAUSE_MS)
        try:
            return await self._carry(entry, scope_id)
        except UnreachableError as error:
            return Retry(str(error))
        except Exception as error:  # noqa: BLE001 - the port's promise: whatever it is, try again
            # Only the type and the place: the words of a stranger's error may quote the message.
            _log.error("courier_failed", error=_place(error), trace=entry.letter.trace)
            return Retry(f"internal error: {_place(error)}")

    async def _carry(self, entry: Entry, scope_id: str) -> Outcome:
        match entry.letter.body:
            case NewMessage() | ErrorReply() as message:
                return await self._message(message, scope_id, await self._picture(entry))
            case StatusUpdate() as update:
                return await self._status(update, scope_id)
            case Revision() as revision:
                return await self._revise(revision, scope_id)
            case Reaction() as reaction:
                return await self._react(reaction, scope_id)
            case PhoneRewrite() as wish:
                return await self._rewrite_phones(wish)
            case Reply() | ReplyReaction() | Fetch() as other:
                return Dead(f"a {other.kind} is not for amoCRM")

    async def _picture(self, entry: Entry) -> str | None:
        """The client's picture, where amoCRM may be about to make his card."""
        body, channel = entry.letter.body, entry.letter.channel
        if not isinstance(body, NewMessage) or not body.opens or channel is None:
            return None
        return await self._avatar(channel, body.client.address)

    async def _message(
        self, message: NewMessage | ErrorReply, scope_id: str, avatar: str | None
    ) -> Outcome:
        """One attempt; where amoCRM will not bind a chat of its own to our ids, one without it.

        UNCONFIRMED: when it refuses that. A second chat is a nuisance, a lost message is a loss.
        """
        outcome = await self._post_message(message, scope_id, avatar)
        if isinstance(outcome, Dead) and message.crm_chat is not None:
            _log.warning("chat_not_bound", error=outcome.reason)
            unbound = replace(message, crm_chat=None, crm_client=None)
            return await self._post_message(unbound, scope_id, avatar)
        return outcome

    async def _post_message(
        self, message: NewMessage | ErrorReply, scope_id: str, avatar: str | None
    ) -> Outcome:
        now = self._credentials.current
        try:
            request = translate.message_request(
                message,
                scope_id,
                language=self._language(),
                bot_id=now.bot_id,
                title=now.title,
                link=self._link,
                avatar=avatar,
            )
        except NoBotError as error:
            return Dead(str(error))
        answer = await self._client.post(request)
        private = translate.private_texts(message)
        outcome = self._heed(decipher(request.call, answer, message.id, private))
        if isinstance(outcome, Dead) and isinstance(message, NewMessage) and message.quotes:
            # UNCONFIRMED: whether amoCRM refuses a message for what it quotes. The words matter
            # more than the quotation.
            return await self._message(replace(message, quotes=None), scope_id, avatar)
        return outcome

    async def _revise(self, revision: Revision, scope_id: str) -> Outcome:
        content = shown(revision.content, self._language(), revision.marks, link=self._link)
        request = revision_request(revision, scope_id, content)
        answer = await self._client.post(request)
        private = private_words(revision.content)
        return self._heed(decipher(request.call, answer, private=private))

    async def _react(self, reaction: Reaction, scope_id: str) -> Outcome:
        client_id = translate.participant_id(reaction.client)
        bot_id = self._credentials.current.bot_id
        try:
            request = reaction_request(reaction, scope_id, client_id=client_id, bot_id=bot_id)
        except NoBotError as error:
            return Dead(str(error))
        return self._heed(decipher(request.call, await self._client.post(request)))

    async def _status(self, update: StatusUpdate, scope_id: str) -> Outcome:
        request = translate.status_request(update, scope_id, self._language())
        if request is None:
            return Delivered()
        answer = await self._client.post(request)
        return self._heed(decipher(request.call, answer, private=(update.reason or "",)))

    def _heed(self, verdict: Verdict) -> Outcome:
        """Raise or lift the alarms an answer gives reason for, and the letter's own outcome."""
        match verdict.alarm, verdict.outcome:
            case Alarm.CREDENTIALS, Retry(reason):
                self._alarm.refused(Credential.CHANNEL, reason)
            case Alarm.CHANNEL, _:
                self._connection.reconnect()
            case _, Delivered():
                self._alarm.accepted(Credential.CHANNEL)
        return verdict.outcome


def _place(error: Exception) -> str:
    """Which error, and the line of the file it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
