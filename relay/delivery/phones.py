"""Whether numbers are on WhatsApp: what is known, and asking when it is not.

WhatsApp is asked as little as possible: mass checks are a reason for a ban. A client who writes
proves for nothing that he is there.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from relay.delivery.ledger import Ledger
from relay.delivery.ports import Clock, Engine
from relay.delivery.store import Store
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.message import Received
from relay.domain.phone import normalise
from relay.domain.phone_check import PhoneCheck, PhoneState
from relay.domain.retry import HOUR
from relay.domain.values import value

_RENEWED_EVERY_MS = HOUR  # a talk must not cost a write of the same news for each message
_LONGEST_S = 60.0


@value
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


# --- Asking ---------------------------------------------------------------------------------------


@value
class Line:
    """A running channel, as far as numbers are checked over it. ``own`` once it is known."""

    engine: Engine
    connected: bool
    own: OwnNumber | None = None


@value
class Answers:
    """What is known of each number, and why WhatsApp could not be asked, if it had to be."""

    checks: Mapping[str, PhoneCheck]
    trouble: str | None = None


class Phones:
    """Tells which numbers are on WhatsApp. ``lines`` are the running channels, in their order."""

    def __init__(
        self, store: Store, clock: Clock, lines: Callable[[], Mapping[ChannelId, Line]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._lines = lines
        self._turns: defaultdict[ChannelId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def number(self, written: str, channel: ChannelId | None = None) -> str | None:
        """The digits of a number however it is written; None if it is none.

        One without a country is of the channel's own, or of the first channel's that has a number.
        """
        lines = self._lines()
        owns = [line.own for id_, line in lines.items() if channel in (None, id_) and line.own]
        return normalise(written, next(iter(owns), None))

    async def known(self, numbers: Sequence[str]) -> dict[str, PhoneCheck]:
        """What is known of the numbers (digits), however old; nobody is asked."""

        def work(ledger: Ledger) -> dict[str, PhoneCheck]:
            return {number: ledger.phone_check(number) or PhoneCheck() for number in numbers}

        return await self._store.query(work)

    async def ask(
        self, numbers: Sequence[str], *, channel: ChannelId | None = None, again: bool = False
    ) -> Answers:
        """What is known, after asking WhatsApp for what is not known freshly (or for all, again).

        Over that channel, or over the first connected one that can. A failure changes nothing.

        Raises:
            StoreRefusedError: WhatsApp's answer could not be kept.
        """
        asked_ms = self._clock.now_ms()
        checks = await self.known(numbers)
        if not _open(checks, asked_ms, again=again):
            return Answers(checks)
        line = self._choose(channel)
        if isinstance(line, str):
            return Answers(checks, line)
        id_, engine = line
        async with self._turns[id_]:
            checks = await self.known(numbers)  # somebody may have asked meanwhile
            wanted = _open(checks, asked_ms, again=again)
            found = await self._found(engine, wanted) if wanted else {}
        silent = any(found.get(number) is None for number in wanted)
        words = f"channel {id_}: WhatsApp did not tell; try again in a while" if silent else None
        return Answers(await self.known(numbers), words)

    def _choose(self, channel: ChannelId | None) -> tuple[ChannelId, Engine] | str:
        """The channel to ask over, or why there is none."""
        lines = self._lines()
        if channel is None:
            able = [id_ for id_, line in lines.items() if line.engine.can_check and line.connected]
            if not able:
                return "no channel that can check numbers is connected"
            return able[0], lines[able[0]].engine
        line = lines.get(channel)
        if line is None:
            return f"there is no channel {channel}"
        if not line.engine.can_check:
            return f"channel {channel} cannot check numbers: its engine has no way to"
        if not line.connected:
            return f"channel {channel} is not connected"
        return channel, line.engine

    async def _found(self, engine: Engine, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        """WhatsApp's answers, kept."""
        try:
            async with asyncio.timeout(_LONGEST_S):
                found = await engine.check(numbers)
        except TimeoutError:
            return {}
        now = self._clock.now_ms()

        def work(ledger: Ledger) -> None:
            for number, there in found.items():
                if there is not None:
                    ledger.save_phone_check(number, PhoneCheck.answered(there, now))

        await self._store.transact(work)
        return found


def _open(checks: Mapping[str, PhoneCheck], asked_ms: int, *, again: bool) -> list[str]:
    """The numbers that WhatsApp has to be asked for."""
    if again:
        return [n for n, check in checks.items() if (check.checked_ms or 0) < asked_ms]
    return [n for n, check in checks.items() if not check.fresh(asked_ms)]
