"""The library's one gate: clients come and go one by one, and no call passes meanwhile.

neonize keeps its clients in unguarded Go maps. Two registrations at once, or a look-up beside a
registration or a removal, end the process with "concurrent map writes" or "concurrent map read and
map write", which nothing can catch. So a *change* is alone, and a *call* waits while one goes on.

A call looks its client up in its very first instructions and may then wait over a minute for the
network. A change therefore waits until every call is over, or has been inside for ``SETTLED_S``:
an eternity for a look-up, even on a machine that is out of breath. A registration, in turn, writes
the maps before it dials; when the dialling is over it reads them once more. So a channel that
dials for long lets the calls of the others pass, and only their changes wait: for seconds, for a
handshake without an answer is given up (see ``tunnel``).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SETTLED_S = 2.0
_LOOK_AGAIN_S = 0.02


class Gate:
    """Many calls or one change. A waiting change goes before new calls."""

    def __init__(self, settled_s: float = SETTLED_S) -> None:
        self._settled_s = settled_s
        self._changing = asyncio.Lock()
        self._entered: dict[object, float] = {}
        self._open = asyncio.Event()
        self._open.set()

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Callable[[], None]]:
        """A client is being registered or removed.

        What it yields lets calls in before the change is over: for a registration that only waits
        for the network any more. Other changes still wait.
        """
        async with self._changing:
            self._open.clear()
            try:
                await self._settle()
                yield self._open.set
            finally:
                self._open.set()

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Callable[[], None]]:
        """A registered client is being used.

        What it yields is to be called by the thread that makes the call, right before it.
        """
        while not self._open.is_set():
            await self._open.wait()
        ticket = object()
        self._entered[ticket] = math.inf
        try:
            yield lambda: self._enter(ticket)
        except asyncio.CancelledError:
            # Whoever waited has gone, the thread has not: it may be entering just now.
            asyncio.get_running_loop().call_later(self._settled_s, self._leave, ticket)
            raise
        except BaseException:
            self._leave(ticket)
            raise
        self._leave(ticket)

    def _enter(self, ticket: object) -> None:
        self._entered[ticket] = time.monotonic()

    def _leave(self, ticket: object) -> None:
        self._entered.pop(ticket, None)

    async def _settle(self) -> None:
        while self._entered:
            youngest = max(self._entered.values())
            wait_s = youngest + self._settled_s - time.monotonic()
            if wait_s <= 0:
                return
            await asyncio.sleep(min(wait_s, _LOOK_AGAIN_S))
