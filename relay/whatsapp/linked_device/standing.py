"""How a channel's session stands, since when, and what was told of it."""

from __future__ import annotations

from relay.delivery.ports import Clock, Report
from relay.domain.ids import OwnNumber
from relay.domain.session import SessionState
from relay.whatsapp.linked_device.history import Progress


class Standing:
    """Tells a report each state and reason once. ``own`` is the number told beside them."""

    def __init__(self, clock: Clock) -> None:
        self.state = SessionState.STARTING
        self.since_ms = clock.now_ms()
        self.own: OwnNumber | None = None
        self._clock = clock
        self._told: tuple[SessionState, str] | None = None
        self._report: Report | None = None

    def begin(self, report: Report) -> None:
        """From now on this one is told; it has heard nothing yet."""
        self._report, self._told = report, None

    def tell(self, state: SessionState, reason: str) -> None:
        """The session stands so now."""
        if (state, reason) == self._told or self._report is None:
            return
        self.state, self._told, self.since_ms = state, (state, reason), self._clock.now_ms()
        self._report(state, reason, self.own)

    def tell_progress(self, progress: Progress | None) -> None:
        """How far the past is, beside the word that the session is connected; None: it is in."""
        if self.state is SessionState.CONNECTED and self._report is not None:
            words = "connected"
            if progress is not None:
                words += f"; importing history: {progress.done} of {progress.total}"
            self._told = self.state, words
            self._report(self.state, words, self.own)
