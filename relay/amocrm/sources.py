"""Keeps one source in amoCRM for each of our numbers, in step with the file.

A source has the number's own id (:func:`relay.domain.ids.source_id`), so a channel may be renamed,
and a number may move to another channel, without its chats changing their source: amoCRM lets an
id never change. What is in amoCRM but no longer in the file is left alone and told, never deleted,
for the chats of years hang on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from relay.amocrm.errors import AmoCrmError, RefusedError, RejectedError, UnreachableError
from relay.amocrm.rest.client import RestClient
from relay.amocrm.rest.problems import without_numbers
from relay.amocrm.rest.sources import Found, Wanted, change_source, make_source, read_sources
from relay.delivery.ports import Clock
from relay.domain.retry import DAY, HOUR, MINUTE

EVERY_MS: Final = DAY
"""Between two looks when nothing changes here: somebody may have changed it there."""

FIRST_PAUSE_MS: Final = MINUTE
LONGEST_PAUSE_MS: Final = HOUR
"""Between two looks while amoCRM cannot be reached."""

FEW: Final = 50
"""UNCONFIRMED: beyond this number amoCRM may refuse more sources (its pages say 50 and 100)."""

_log = structlog.get_logger()


class SourceKeeper:
    """Makes and changes sources; one task runs it."""

    def __init__(
        self,
        rest: RestClient,
        wanted: Callable[[], Sequence[Wanted]],
        confirmed: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._rest = rest
        self._wanted = wanted
        self._confirmed = confirmed
        self._clock = clock
        self._wish = asyncio.Event()
        self._left: frozenset[int] = frozenset()
        self._refused: dict[str, str] = {}  # what was last told of whom

    def wake(self) -> None:
        """Look soon: the file, a number or the token has changed."""
        self._wish.set()

    async def run(self) -> None:
        """Keep the sources in step for ever."""
        next_ms = FIRST_PAUSE_MS
        await self._wish.wait()
        while True:
            self._wish.clear()
            if await self._look():
                pause_ms, next_ms = EVERY_MS, FIRST_PAUSE_MS
            else:
                pause_ms, next_ms = next_ms, min(2 * next_ms, LONGEST_PAUSE_MS)
            await self._clock.wait_ms(self._wish, pause_ms)

    async def _look(self) -> bool:
        """Compare and mend; False if amoCRM could not be reached."""
        if not self._confirmed():  # whoever confirms the account wakes us
            return True
        try:
            found = await read_sources(self._rest)
            self._refused.pop("", None)
            return await self._mend({source.id: source for source in found}, self._wanted())
        except (RefusedError, RejectedError) as error:
            self._refuse("", str(error))
            return True
        except UnreachableError as error:
            _log.warning("sources_unknown", error=str(error))
            return False

    async def _mend(self, found: dict[str, Found], wanted: Sequence[Wanted]) -> bool:
        reached = True
        for source in wanted:
            known = found.get(source.id)
            if known is not None and known.is_as(source):
                continue
            try:
                await self._put(source, known)
            except UnreachableError as error:
                _log.warning("sources_unknown", channel=source.channel, error=str(error))
                reached = False
            except AmoCrmError as error:
                self._refuse(source.channel, _with_hint(str(error), len(found)))
            else:
                self._refused.pop(source.channel, None)
                done = "made" if known is None else "changed"
                _log.info("source_kept", channel=source.channel, done=done)
        self._tell_left(found, {source.id for source in wanted})
        return reached

    async def _put(self, source: Wanted, known: Found | None) -> None:
        if known is None:
            await make_source(self._rest, source)
        else:
            await change_source(self._rest, known.number, source)

    def _tell_left(self, found: dict[str, Found], ours: set[str]) -> None:
        """Say what is left alone; again only when it is something else."""
        left = [source for id_, source in found.items() if id_ not in ours]
        numbers = frozenset(source.number for source in left)
        if numbers != self._left:
            self._left = numbers
            for source in left:
                name = without_numbers(source.name)
                _log.warning("source_left_alone", source=source.number, name=name)

    def _refuse(self, channel: str, error: str) -> None:
        """Say it once, until it is something else."""
        if self._refused.get(channel) != error:
            self._refused[channel] = error
            _log.error("source_refused", channel=channel or None, error=error)


def _with_hint(error: str, count: int) -> str:
    if count < FEW:
        return error
    return f"{error} (there are {count} sources already, and amoCRM takes 50 to 100)"
