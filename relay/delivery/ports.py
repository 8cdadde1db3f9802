"""The ports of delivery: what it needs from the rooms around it.

Two very different engines stand behind :class:`Engine`: a linked device holds a socket and knows
when it is connected; the Cloud API is called over HTTP and calls back through a webhook. Neither
shows its types here. What an engine hears it hands over *raw*, as bytes, and only
:meth:`Engine.read` knows what they mean, so the journal holds what WhatsApp said, not what we made
of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from relay.domain.bodies import Reply, ReplyReaction
from relay.domain.ids import ClientAddress, CrmPersonId, OwnNumber, UserId, WhatsAppMessageId
from relay.domain.message import CrmEvent, WhatsAppEvent
from relay.domain.outbox import Entry, Outcome
from relay.domain.reasons import Reason
from relay.domain.session import SessionState

KeptFile = Callable[[str], Path]
"""The file on disk behind :class:`~relay.domain.contents.Kept`, by its name. To be read only, and
for the length of one send. It asks the disk, so it is for threads.
Raises :class:`MediaGoneError`."""

MediaWriter = Callable[[bytes], Awaitable[None]]
"""Takes the next bytes of a medium, in pieces of any size (64 KiB or so are best); back once it
is ready for more.

Raises:
    MediaTooLargeError: more has come than may be kept.
    StoreRefusedError: the disk took no more.
"""


Throttle = Callable[[int], Awaitable[None]]
"""Awaited before each piece of a large file, whichever way it goes, with the piece's size in
bytes; back when it may pass. All large files share one, so that messages keep their share of the
processors and the disk. Small files pass without it."""


async def unthrottled(size: int) -> None:
    """A :data:`Throttle` that lets everything pass."""
    del size


class MediaGoneError(Exception):
    """The bytes of a medium can never be had again: expired, deleted, never there."""


class MediaUnavailableError(Exception):
    """The bytes of a medium cannot be had now; trying again later may help."""


class MediaTooLargeError(Exception):
    """A medium has more bytes than may be kept."""


class KeptFiles(Protocol):
    """The files of the relay's store, for engines, which are built with it."""

    throttle: Throttle

    def path(self, name: str) -> Path:
        """See :data:`KeptFile`."""
        ...


class Clock(Protocol):
    """The time, and waiting for it. Tests move it by hand."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, by the wall."""
        ...

    async def sleep_ms(self, duration_ms: int) -> None:
        """Wait that long, by a clock that nobody sets."""
        ...

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        """Wait for the event, but at most that long."""
        ...


class Courier(Protocol):
    """Carries a letter's body to its destination, once per call."""

    repeatable: bool
    """Whether the other side recognises a repetition, so that one may simply be made."""

    async def prepare(self, entry: Entry) -> Outcome | None:
        """Do what an attempt needs and nobody sees, such as bringing a file; None: it may be made.

        Nothing is written down yet: a stop cancels it, a kill costs nothing, and it is asked for
        again before the next attempt. ``Delivered`` and ``Unknown`` are never its end.
        """
        ...

    def lead_ms(self, entry: Entry) -> int:
        """For how long something is to be seen before the attempt; 0: nothing is."""
        ...

    async def lead_in(self, entry: Entry) -> None:
        """Show it. Nothing is written down yet, so a kill meanwhile costs nothing. Never raises."""
        ...

    async def deliver(self, entry: Entry) -> Outcome:
        """One attempt, bounded in time. Never raises but for cancellation."""
        ...

    async def interrupted(self, entry: Entry) -> Outcome:
        """What is to be made of an attempt whose end no living process has seen."""
        ...

    def why_late(self, entry: Entry) -> Reason:
        """What its writer is told if its time is over now: what it has been waiting for."""
        ...


class HandOver(Protocol):
    """Where an engine puts what it heard; back only once the process may die."""

    async def __call__(self, payload: bytes) -> None:
        """From the loop: back once it is durable.

        Raises:
            StoreRefusedError: not kept; the engine decides whether it can wait.
        """
        ...

    def from_thread(self, payload: bytes) -> None:
        """From a foreign thread: back once no end of this process can lose it.

        It is durable, against a power cut too, as soon as the disk can. The thread is held only
        if the disk refuses, or is behind by a thousand events.
        """
        ...


class Report(Protocol):
    """Where an engine says how its session stands."""

    def __call__(self, state: SessionState, reason: str, own: OwnNumber | None = None) -> None:
        """Called on the loop at each change. ``own`` once the number is known."""
        ...


class Engine(Protocol):
    """One channel's way to WhatsApp."""

    can_check: bool
    """Whether it has any way to find out which numbers are on WhatsApp."""

    async def run(self, hand_over: HandOver, report: Report) -> None:
        """Hold the session until cancelled. Returning or raising means that it failed.

        Reconnecting by itself is the engine's own affair; its supervisor only starts it again,
        with backoff, when ``run`` ends. A cancelled ``run`` leaves the session in good order
        within ten seconds.
        """
        ...

    def read(self, payload: bytes) -> Sequence[WhatsAppEvent]:
        """What was handed over, in our words. Pure, quick, on any thread.

        Raises:
            ValueError: the payload makes no sense; it is kept and reported.
        """
        ...

    async def prepare(self, reply: Reply) -> Outcome | None:
        """Bring what :meth:`send` will need, such as a file, to where WhatsApp wants it before.

        The client sees nothing of it. None: ready, or there is nothing to bring; else ``Retry`` or
        ``Dead``. Called before each attempt and may be cancelled; ``send`` does without it too.
        """
        ...

    async def send(self, reply: Reply) -> Outcome:
        """Send once. ``Delivered.reference`` is WhatsApp's id of the message.

        A medium among the contents is always ``Kept``: its file is found with the engine's
        :data:`KeptFile`, and ``mime``, ``size`` and, for a voice message, ``duration_s`` and
        ``waveform`` are those of that very file, found out by the relay.

        ``Retry`` promises that WhatsApp saw nothing. If that cannot be promised: ``Unknown``.
        """
        ...

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """Bring the bytes of a medium that this engine saw, in order and whole, piece by piece.

        ``ref`` is the engine's own word for it, as :meth:`read` put it into a ``Remote``; maybe
        in an earlier life, or a week ago. Called for several media at once. Bounded in time by
        the caller, who cancels. What was written before it raises counts for nothing, so bytes
        may be checked (a hash, a padding) when the last one has gone out.

        What ``write`` raises passes through as it is.

        Raises:
            MediaGoneError: nobody has them any more; never again.
            MediaUnavailableError: not now: not connected, a server's fault, a drop half-way.
        """
        ...

    async def avatar(self, of: ClientAddress, write: MediaWriter) -> None:
        """Bring the small picture that a client shows of himself, as :meth:`fetch` brings a medium.

        Raises:
            MediaGoneError: he has none, or does not show it to us.
            MediaUnavailableError: not now.
        """
        ...

    async def react(self, reaction: ReplyReaction) -> Outcome:
        """Put an emoji on a message, or take it off; once more does no harm."""
        ...

    async def show_typing(self, to: ClientAddress) -> None:
        """Show the client that an answer is being written, if that can be done; back within 5 s.

        It never fails: a reply does not depend on it.
        """
        ...

    async def sent_as(self, reply: Reply) -> tuple[WhatsAppMessageId, ...]:
        """The ids under which WhatsApp got the reply, if it got it: for one of unknown outcome.

        Asked after a restart too, whether the session is connected or not. Empty: nobody knows.
        """
        ...

    async def check(self, numbers: Sequence[str]) -> Mapping[str, bool | None]:
        """Which of the numbers (digits) are on WhatsApp; None: it could not be found out.

        A failure is never a "no". An engine that cannot check answers None for each. It may take a
        while: WhatsApp is asked in small batches with pauses.
        """
        ...


class HookReader(Protocol):
    """Reads a hook of the CRM, verified and journaled before."""

    def __call__(self, payload: bytes) -> CrmEvent:
        """What the hook says, in our words.

        Raises:
            ValueError: it makes no sense; it is kept and reported.
        """
        ...


class Staff(Protocol):
    """Who of those that write in amoCRM is a user of the account, and who may do everything.

    All but :meth:`refresh` answer from memory, at once; the memory outlives a restart.
    """

    def user_of(self, person: CrmPersonId) -> UserId | None:
        """The user; None for a robot, and for somebody of whom nothing is known yet."""
        ...

    def knows(self, person: CrmPersonId) -> bool:
        """Whether it is certain who that is: a user, or surely none of them, which is a robot.

        If not, :meth:`refresh` and look again. Whoever is still unknown then must not be taken
        for a robot: he may be a manager whom the rules let through other channels, or none.
        """
        ...

    def is_administrator(self, user: UserId) -> bool:
        """Whether the account's rights make him one; False for a user nobody knows."""
        ...

    async def refresh(self, person: CrmPersonId) -> None:
        """Ask amoCRM who that is; back once it has answered, or failed to.

        One reading serves all who wait for it, and there is at most one a minute, so it may take
        two minutes, never more. It does not raise but for cancellation.
        """
        ...
