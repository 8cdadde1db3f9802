"""Whether a telephone number is on WhatsApp, as far as anybody knows, and how old the news is."""

from __future__ import annotations

import enum

from relay.domain.retry import DAY
from relay.domain.values import value

FRESH_MS = DAY
"""For so long an answer of WhatsApp's is taken as it was; after that it is asked again."""


class PhoneState(enum.StrEnum):
    """What is known of a number. A failure to find out never changes it."""

    UNKNOWN = "unknown"
    REGISTERED = "registered"
    NOT_REGISTERED = "not_registered"


@value
class PhoneCheck:
    """The state of a number and when it was found out; never, if it is unknown."""

    state: PhoneState = PhoneState.UNKNOWN
    checked_ms: int | None = None

    def fresh(self, now_ms: int) -> bool:
        """Whether it is known, and young enough to be acted on."""
        return self.checked_ms is not None and now_ms - self.checked_ms < FRESH_MS

    @classmethod
    def answered(cls, registered: bool, now_ms: int) -> PhoneCheck:
        """WhatsApp has just said so."""
        state = PhoneState.REGISTERED if registered else PhoneState.NOT_REGISTERED
        return cls(state, now_ms)
