"""The switches of trouble: what amoCRM can be told to do wrong."""

from __future__ import annotations

import enum

from relay.demo.pretended_amocrm import Answer, Fault, Lie, PretendedAmoCRM, Slow
from relay.demo.pretended_amocrm.faults import Effect

SLOW_S = 3.0
"""How long a slow amoCRM takes for every answer."""


class Trouble(enum.StrEnum):
    """One switch each."""

    DOWN = "down"  # refuses connections
    SLOW = "slow"
    BROKEN = "broken"  # answers 503 to everything
    LIE = "lie"  # takes the next message and breaks the connection instead of saying so


_EFFECTS: dict[Trouble, tuple[Effect, str, int | None]] = {
    Trouble.LIE: (Lie(), "messages", 1),
    Trouble.BROKEN: (Answer(503, b"{}"), "*", None),
    Trouble.SLOW: (Slow(SLOW_S), "*", None),
}


class Switches:
    """The troubles in force. A lie is told once and puts its switch back."""

    def __init__(self, crm: PretendedAmoCRM) -> None:
        self._crm = crm
        self._faults: dict[Trouble, Fault] = {}
        self._down = False

    @property
    def on(self) -> frozenset[Trouble]:
        """Those in force."""
        faults = {trouble for trouble, fault in self._faults.items() if fault.times != 0}
        return frozenset(faults | ({Trouble.DOWN} if self._down else set()))

    async def turn(self, trouble: Trouble, on: bool) -> None:
        """Put a trouble in force, or end it."""
        if trouble is Trouble.DOWN:
            self._down = on
            await (self._crm.go_down() if on else self._crm.come_up())
            return
        wanted = (self.on | {trouble}) if on else (self.on - {trouble})
        self._crm.faults.clear()
        # The first that fits a request is played: so the lie, told once, stands before the rest.
        self._faults = {t: self._add(t) for t in _EFFECTS if t in wanted}

    def _add(self, trouble: Trouble) -> Fault:
        effect, where, times = _EFFECTS[trouble]
        return self._crm.faults.add(effect, where, times)
