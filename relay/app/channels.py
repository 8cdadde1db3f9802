"""The channels that ought to run: one engine each, supervised alone, and the courier to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from relay.delivery.ports import Clock, Courier, Engine, HandOver
from relay.delivery.sorter import Reader
from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.contents import Kept, Media
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.outbox import Dead, Entry, Outcome, Retry, Unknown
from relay.domain.phone import masked
from relay.domain.reasons import LATE, Reason
from relay.domain.retry import MINUTE, RetryPolicy
from relay.domain.session import Session, SessionState

_log = structlog.stdlib.get_logger("relay.channels")

_STABLE_MS = 5 * MINUTE  # a session that held that long starts its backoff anew
_STOPPING_S = 6.0  # with the drain before it below the ten seconds of a stop

OnSession = Callable[[ChannelId, Session], None]


class Channel:
    """One channel: its engine, kept running, and how its session stands."""

    def __init__(
        self, id_: ChannelId, engine: Engine, door: HandOver, clock: Clock, on_change: OnSession
    ) -> None:
        self.id = id_
        self.engine = engine
        self.session = Session(SessionState.STARTING, "starting", clock.now_ms())
        self.started = asyncio.Event()
        self._door = door
        self._clock = clock
        self._on_change = on_change
        self._policy = RetryPolicy()

    async def run(self, chance: Callable[[], float]) -> None:
        """Keep the engine running, with backoff when it fails. Cancelled, it stops the engine."""
        failures = 0
        while True:
            begun = self._clock.now_ms()
            reason = await self._run_once()
            failures = 1 if self._clock.now_ms() - begun >= _STABLE_MS else failures + 1
            delay = self._policy.delay_ms(failures, chance())
            self.report(SessionState.FAILED, f"{reason}; next start in {delay // 1000} s")
            await self._clock.sleep_ms(delay)

    async def _run_once(self) -> str:
        session = asyncio.create_task(
            self.engine.run(self._door, self.report), name=f"session {self.id}"
        )
        try:
            await asyncio.wait([session])
        finally:
            await self._end(session)
        if session.cancelled() or (error := session.exception()) is None:
            return "the session ended"
        return f"{type(error).__name__}: {error}"

    async def _end(self, session: asyncio.Task[None]) -> None:
        """Back when the session is over, or too late: then it is left to the process's end."""
        session.cancel()
        _, late = await asyncio.wait([session], timeout=_STOPPING_S)
        if late:
            _log.error("session_stop_late", channel=self.id, after_seconds=_STOPPING_S)
        elif not session.cancelled() and (error := session.exception()) is not None:
            _log.error("session_failed", channel=self.id, exc_info=error)

    def report(self, state: SessionState, reason: str, own: OwnNumber | None = None) -> None:
        """The session stands so now."""
        before = self.session
        own = own or before.own
        self.started.set()
        if (state, reason, own) == (before.state, before.reason, before.own):
            return
        since = before.since_ms if state is before.state else self._clock.now_ms()
        self.session = Session(state, reason, since, own)
        _log.info(
            "session_state",
            channel=self.id,
            state=state.value,
            reason=reason,
            before=before.state.value,
            own=masked(own) if own else None,
        )
        self._on_change(self.id, self.session)


class Channels:
    """All channels of the file; each may be started, stopped and replaced alone."""

    def __init__(
        self,
        clock: Clock,
        chance: Callable[[], float],
        door: Callable[[str], HandOver],
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._door = door
        self._listeners: list[OnSession] = []
        self._channels: dict[ChannelId, Channel] = {}
        self._tasks: dict[ChannelId, asyncio.Task[None]] = {}
        self._readers: dict[str, Reader] = {}

    @property
    def sessions(self) -> Mapping[ChannelId, Session]:
        """How each channel's session stands."""
        return {id_: channel.session for id_, channel in self._channels.items()}

    def listen(self, listener: OnSession) -> None:
        """Tell ``listener`` of every change of a session from now on."""
        self._listeners.append(listener)

    def add(self, id_: ChannelId, engine: Engine) -> None:
        """A channel that is to run; what it hands over can be read from now on."""
        channel = Channel(id_, engine, self._door(f"whatsapp/{id_}"), self._clock, self._tell)
        self._channels[id_] = channel
        self._readers[id_] = engine.read

    def start(self, id_: ChannelId, owner: asyncio.TaskGroup) -> None:
        """Start an added channel; ``owner`` owns its task."""
        channel = self._channels[id_]
        self._tasks[id_] = owner.create_task(channel.run(self._chance), name=f"channel {id_}")

    async def remove(self, id_: ChannelId) -> None:
        """Stop a channel and forget it. What it handed over before can still be read."""
        await self._stop(id_)
        del self._channels[id_]

    async def stop(self) -> None:
        """Stop all channels."""
        await asyncio.gather(*(self._stop(id_) for id_ in tuple(self._channels)))

    async def started(self) -> None:
        """Back once every channel has told how it stands."""
        for channel in tuple(self._channels.values()):
            await channel.started.wait()

    def reader(self, channel: str) -> Reader | None:
        """Who reads what that channel handed over."""
        return self._readers.get(channel)

    def engine(self, id_: ChannelId) -> Engine | None:
        """The engine of a channel, if the file has such a channel."""
        channel = self._channels.get(id_)
        return channel.engine if channel else None

    def _tell(self, id_: ChannelId, session: Session) -> None:
        for listener in self._listeners:
            listener(id_, session)

    async def _stop(self, id_: ChannelId) -> None:
        task = self._tasks.pop(id_, None)
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        self._channels[id_].report(SessionState.STOPPED, "stopped")


class ChannelCourier(Courier):
    """Carries replies to the engine of their channel.

    ``typing_ms`` says for how long a channel shows typing before it sends; 0: not at all.
    """

    repeatable = False

    def __init__(
        self, channels: Channels, typing_ms: Callable[[ChannelId], int] = lambda _: 0
    ) -> None:
        self._channels = channels
        self._typing_ms = typing_ms

    async def prepare(self, entry: Entry) -> Outcome | None:
        """Have the engine bring what the send will need; a file that never came ends it."""
        body = entry.letter.body
        if not isinstance(body, Reply):
            return None
        if isinstance(body.content, Media) and not isinstance(body.content.at, Kept):
            return Dead("its file has not come", tell=Reason.FILE_MISSING)
        engine = self._channels.engine(body.channel)
        return await engine.prepare(body) if engine else None

    def lead_ms(self, entry: Entry) -> int:
        """Typing, while there is a line to show it on."""
        id_ = entry.letter.channel
        session = self._channels.sessions.get(id_) if id_ is not None else None
        if id_ is None or session is None or session.state is not SessionState.CONNECTED:
            return 0
        return self._typing_ms(id_)

    async def lead_in(self, entry: Entry) -> None:
        """Show the client that an answer is being written."""
        body = entry.letter.body
        engine = self._channels.engine(body.channel) if isinstance(body, Reply) else None
        if engine is not None and isinstance(body, Reply):
            await engine.show_typing(body.to)

    def why_late(self, entry: Entry) -> Reason:
        """How the session of its channel stands, if the file still has it."""
        id_ = entry.letter.channel
        session = self._channels.sessions.get(id_) if id_ is not None else None
        return LATE[session.state] if session is not None else Reason.CHANNEL_REMOVED

    async def deliver(self, entry: Entry) -> Outcome:
        """One send."""
        body = entry.letter.body
        if not isinstance(body, Reply | ReplyReaction):
            return Dead(f"a {body.kind} cannot go to WhatsApp")
        engine = self._channels.engine(body.channel)
        if engine is None:
            return Retry(f"channel {body.channel} is not in the file")
        return await (engine.send(body) if isinstance(body, Reply) else engine.react(body))

    async def interrupted(self, entry: Entry) -> Outcome:
        """Nobody knows, and it is not sent again; perhaps its engine knows by which ids it went."""
        body = entry.letter.body
        engine = self._channels.engine(body.channel) if isinstance(body, Reply) else None
        if isinstance(body, ReplyReaction):
            return Retry("interrupted", after_ms=0)  # once more does no harm
        known = await engine.sent_as(body) if engine and isinstance(body, Reply) else ()
        return Unknown("the relay was stopped while this was being sent", known)
