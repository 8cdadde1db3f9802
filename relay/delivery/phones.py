"""Whether numbers are on WhatsApp: what is known, and asking when it is not.

WhatsApp is asked as little as possible: mass checks are a reason for a ban. A client who writes
proves for nothing that he is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.delivery.ports import Ledger
from relay.domain.message import Received
from relay.domain.phone_check import PhoneCheck, PhoneState
from relay.domain.retry import HOUR

_RENEWED_EVERY_MS = HOUR  # a talk must not cost a write of the same news for each message


@dataclass(frozen=True, slots=True)
class Absent:
    """The numbers of which WhatsApp has lately said that they are not there."""

    ledger: Ledger
    now_ms: int

    def __contains__(self, number: object) -> bool:
        """Whether it is one of them."""
        check = self.ledger.phone_check(str(number))
        return (
            check is not None
            and check.state is PhoneState.NOT_REGISTERED
            and check.fresh(self.now_ms)
        )


def note_written(ledger: Ledger, message: Received, now_ms: int) -> None:
    """The client wrote, so his number is on WhatsApp."""
    if message.client.phone is None:
        return
    number, at_ms = message.client.phone.removeprefix("+"), min(message.sent_at_ms, now_ms)
    known = ledger.phone_check(number) or PhoneCheck()
    registered = known.state is PhoneState.REGISTERED
    if at_ms > (known.checked_ms or 0) + (_RENEWED_EVERY_MS if registered else 0):
        ledger.save_phone_check(number, PhoneCheck.answered(True, at_ms))
