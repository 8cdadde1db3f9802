"""The relay's life: starts the parts in order, keeps them, stops them in reverse.

Order of starting: storage, the door for hooks, admin and control, then all that works: amoCRM,
sorters, dispatchers, sessions. So the door opens as soon as there is somewhere to put what comes
in, and it closes last but the storage, because a hook refused is a hook lost.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import structlog

from relay.amocrm.client import open_session
from relay.app.clock import SystemClock
from relay.app.facts import Facts
from relay.app.listen import listen
from relay.app.live import Live
from relay.app.media_parts import opened_media
from relay.app.parts import Parts
from relay.app.surroundings import Surroundings
from relay.config.model import Config
from relay.delivery.housekeeping import note_start, note_stop
from relay.delivery.store import Store, StoreRefusedError
from relay.domain.ids import ChannelId
from relay.domain.outbox import SIDES, Destination
from relay.domain.session import Session, SessionState
from relay.sqlite.spool import open_spool
from relay.sqlite.store import open_store

_log = structlog.stdlib.get_logger("relay")

_DRAIN_S = 3.0


class CoreTaskError(Exception):
    """A task that must run for ever came to an end."""


class Relay:
    """One relay, for one account of amoCRM. It must be made inside the loop that runs it."""

    def __init__(self, config: Config, around: Surroundings) -> None:
        self.ready = asyncio.Event()
        self._config = config
        self._around = around
        self._clock = SystemClock()
        self._stopping = asyncio.Event()
        self._parts: Parts | None = None

    def stop(self) -> None:
        """Stop in good order (SIGTERM)."""
        self._stopping.set()

    def reload(self) -> None:
        """Read the file again (SIGHUP)."""
        if self._parts is not None:
            self._parts.reloader.ask()

    async def run(self) -> None:
        """Run until stopped.

        Raises:
            StorageError: the storage cannot be used.
            ListenError: an address cannot be listened on.
            ExceptionGroup: a core task failed.
        """
        config = self._config
        async with AsyncExitStack() as stack:
            store = await asyncio.to_thread(
                open_store, config.storage.directory, account=config.amocrm.account
            )
            await stack.enter_async_context(store)
            spool = await asyncio.to_thread(open_spool, config.storage.directory)
            await self._begin_life(store)
            stack.push_async_callback(self._end_life, store)
            own = await Facts(store).own_numbers(ChannelId(id_) for id_ in config.channels)
            session = await stack.enter_async_context(open_session())
            live = Live(config, own)
            media = await stack.enter_async_context(opened_media(live, self._clock))
            parts = Parts(live, self._around, self._clock, store, session, spool=spool, media=media)
            await stack.enter_async_context(parts.wire)
            await parts.connection.load()
            await parts.rest.staff.load()
            await parts.account_number.load()
            for server in parts.servers(listen(config, os.environ)):
                await stack.enter_async_context(server)
            self._parts = parts
            await self._work(parts)

    async def _begin_life(self, store: Store) -> None:
        unclean = await note_start(store, self._clock)
        if unclean is not None:
            _log.warning(
                "unclean_stop",
                since=_moment(unclean.since_ms),
                until=_moment(unclean.until_ms),
                meaning="a linked device may have lost messages of this span; Cloud API did not",
            )

    async def _end_life(self, store: Store) -> None:
        try:
            await note_stop(store, self._clock)
        except StoreRefusedError as error:  # a full disk: the next start calls this stop unclean
            _log.warning("stop_not_noted", error=str(error))

    async def _work(self, parts: Parts) -> None:
        async with asyncio.TaskGroup() as core:
            parts.channels.listen(lambda id_, session: self._on_session(parts, core, id_, session))
            tasks = [
                core.create_task(_for_ever(work, name), name=name)
                for name, work in _core_work(parts).items()
            ]
            parts.taker.start_all(core)
            announcing = core.create_task(self._announce(parts), name="announce")
            await self._stopping.wait()
            announcing.cancel()
            await self._wind_down(parts)
            for task in tasks:
                task.cancel()

    async def _announce(self, parts: Parts) -> None:
        await parts.channels.started()
        parts.health.ready = True
        self._around.notifier.ready(_status(parts))
        self.ready.set()
        _log.info("ready")

    async def _wind_down(self, parts: Parts) -> None:
        """Finish what is in hand, then let the sessions go."""
        _log.info("stopping")
        parts.health.ready = False
        self._around.notifier.stopping()
        drains = [parts.dispatchers[side].drain() for side in SIDES]  # a fetch is simply cut off
        try:
            async with asyncio.timeout(_DRAIN_S):
                await asyncio.gather(*drains, parts.rest.finish())
        except TimeoutError:
            _log.warning("drain_late", after_seconds=_DRAIN_S)
        parts.intake.close()
        parts.spooling.close()
        await parts.channels.stop()
        await parts.spooling.finish()

    def _on_session(
        self, parts: Parts, core: asyncio.TaskGroup, id_: ChannelId, session: Session
    ) -> None:
        if session.own is not None and parts.live.learn(id_, session.own):
            remember = parts.facts.remember_own(id_, session.own)
            _also(core, remember, f"remember number of {id_}")
            parts.rest.sources.wake()
            parts.deciding[Destination.WHATSAPP].wake()
        if session.state is SessionState.CONNECTED:
            for way in (Destination.WHATSAPP, Destination.MEDIA):
                _also(core, parts.dispatchers[way].hasten(id_), f"hasten {way} {id_}")
        if self.ready.is_set() and not self._stopping.is_set():
            self._around.notifier.status(_status(parts))


def _core_work(parts: Parts) -> dict[str, Coroutine[object, object, None]]:
    work = {
        "spooling": parts.spooling.run(),
        "amocrm connection": parts.connection.run(),
        "reloader": parts.reloader.run(),
        "heartbeat": parts.heartbeat.run(),
        "tidying": parts.tidying.run(),
        "pairings": parts.pairings.run(),
        "media tidying": parts.media.tidying.run(),
        "typing": parts.typists.run(),
    }
    work |= parts.rest.work()
    work |= {f"sorter {side}": sorter.run() for side, sorter in parts.sorters.items()}
    work |= {f"deciding {side}": deciding.run() for side, deciding in parts.deciding.items()}
    work |= {f"dispatcher {side}": d.run() for side, d in parts.dispatchers.items()}
    return work


def _also(core: asyncio.TaskGroup, work: Coroutine[object, object, None], name: str) -> None:
    """Do it too, unless all is ending already."""
    try:
        core.create_task(work, name=name)
    except RuntimeError:  # how a group says that it takes no more
        work.close()


async def _for_ever(work: Coroutine[object, object, None], name: str) -> None:
    await work
    raise CoreTaskError(f"{name} came to an end")


def _status(parts: Parts) -> str:
    sessions = parts.channels.sessions.values()
    connected = sum(session.state is SessionState.CONNECTED for session in sessions)
    return f"{connected} of {len(sessions)} channels connected"


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
