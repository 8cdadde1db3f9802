"""What a relay is started with besides the content of its file."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from relay.app.engines import EngineFactory
from relay.app.pairings import PairCommand
from relay.app.systemd import Notifier
from relay.config.secret import SecretSource
from relay.delivery.steps import Step


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a relay is started with besides the content of its file.

    ``observers`` see every step of every message's life. ``pair`` links a number from inside
    amoCRM; None where none can be.
    """

    path: Path
    secrets: SecretSource
    engines: EngineFactory
    observers: Sequence[Callable[[Step], None]] = ()
    notifier: Notifier = field(default_factory=Notifier)
    chance: Callable[[], float] = random.random
    pair: PairCommand | None = None
