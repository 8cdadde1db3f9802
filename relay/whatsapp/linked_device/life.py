"""What one client's life means to its session: the states it goes through, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from relay.domain.session import SessionState
from relay.whatsapp.linked_device import states
from relay.whatsapp.linked_device.library_log import without_numbers
from relay.whatsapp.linked_device.states import Then, Verdict

_NOT_ENCODED = "proto:"  # how the library's words begin if it lost its stream over an event

log = structlog.get_logger(__name__)


class Life:
    """Listens to a client. ``tell`` is called with each state but the last, which ``over`` holds.

    Everything here runs on the loop; ``over`` is set once, by whatever comes first.
    """

    def __init__(self, tell: Callable[[Verdict], None]) -> None:
        self.over: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self.state = SessionState.CONNECTING
        self._tell = tell

    @property
    def connected(self) -> bool:
        """Whether the session is up, as far as anybody knows."""
        return self.state is SessionState.CONNECTED and not self.over.done()

    def unlinked(self) -> None:
        """The device was logged out on our own demand."""
        self._end(states.UNLINKED)

    def heard(self, code: int, data: bytes) -> None:
        """An event of the session came."""
        if self.over.done():
            return
        try:
            verdict = states.verdict_on(code, data)
        except ValueError as error:
            self.broken(error)
            return
        if verdict is None:
            return
        if verdict.then is not Then.STAY:
            self._end(verdict)
        elif verdict.state is not self.state:
            self.state = verdict.state
            self._tell(verdict)

    def broken(self, error: BaseException) -> None:
        """An event could not be taken."""
        reason = f"{states.BROKEN.reason}: {error}"
        self._end(Verdict(states.BROKEN.state, reason, states.BROKEN.then))

    def ended(self, words: str) -> None:
        """The library's stream of events ended by itself, or never began."""
        words = without_numbers(words)
        log.warning("library_stream_ended", words=words)
        dialled = self.state is not SessionState.CONNECTING or words.startswith(_NOT_ENCODED)
        self._end(states.ENDED if dialled or not words else states.not_begun(words))

    def _end(self, verdict: Verdict) -> None:
        if not self.over.done():
            self.over.set_result(verdict)
