"""What may be asked, what may be known, and the form of the answer."""

from __future__ import annotations

import enum
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from relay.config.model import Config
from relay.config.tree import Path
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class FromClient:
    """A message seen on WhatsApp. ``phone`` is the client's, also if the owner typed it."""

    phone: str
    channel: ChannelId
    typed_on_phone: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class ToClient:
    """A message written in amoCRM, to a number as it stands in the card.

    ``user``: amoCRM's id of who writes, None for a robot. ``chat``: the channel by which the
    client has written, None if he has not. ``source``: the channel chosen for a first message.
    """

    phone: str
    user: int | None
    chat: ChannelId | None = None
    source: ChannelId | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a running relay knows beside the file; nothing of it if none runs.

    ``own``: the channels' numbers. ``absent``: numbers (digits) known not to be on WhatsApp.
    """

    running: bool = False
    own: Mapping[ChannelId, OwnNumber] = field(default_factory=dict)
    absent: Container[str] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """The file and what the rules make of it, for whoever words a rule."""

    config: Config
    settings: Settings


class Effect(enum.StrEnum):
    """What a rule did."""

    PASSES = "passes"
    CHANGES = "changes"
    ENDS = "ends"
    AFTER = "after"  # no rule decides it: it follows


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, and the keys of the file that it is due to."""

    text: str
    keys: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """A key of the file, and the line it stands on; None: it is not written, its default acts."""

    key: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule: its name, what it did, in a sentence, and what in the file that is due to."""

    rule: str
    effect: Effect
    says: str
    basis: tuple[Basis, ...]


class Outcome(enum.StrEnum):
    """What becomes of the message."""

    ENTERS = "enters"
    IGNORED = "ignored"
    SENT = "sent"
    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rulings in order, and the verdict. ``text``: what is seen on the other side."""

    question: str
    rulings: tuple[Ruling, ...]
    outcome: Outcome
    verdict: str
    text: str | None = None


class QuestionError(ValueError):
    """That cannot be asked; the text says why."""
