"""A courier whose attempts may be repeated, and are prepared by nothing."""

from __future__ import annotations

from relay.domain.outbox import Entry, Outcome, Retry


class RepeatingCourier:
    """What is the same for every courier (:class:`~relay.delivery.ports.Courier`) of that kind."""

    repeatable = True

    async def prepare(self, entry: Entry) -> Outcome | None:
        """Everything that is needed is there."""
        del entry
        return None

    def lead_ms(self, entry: Entry) -> int:
        """Nobody watches."""
        del entry
        return 0

    async def lead_in(self, entry: Entry) -> None:
        """Nothing."""

    async def interrupted(self, entry: Entry) -> Outcome:
        """Simply once more: the other side takes a repetition for one."""
        del entry
        return Retry("interrupted", after_ms=0)
