"""What the chain of rules costs a message."""

from __future__ import annotations

import timeit
from collections.abc import Iterator

from relay.domain.incoming import Incoming, decide_incoming
from relay.domain.message import Received
from relay.domain.settings import Settings
from tests.bench.report import Figure
from tests.bench.rig import BenchEngine, payload

TIMES, ROUNDS = 20_000, 5


def rules() -> Iterator[Figure]:
    """The best of a few rounds."""
    (message,) = BenchEngine().read(payload(1, 1))
    assert isinstance(message, Received)
    incoming, settings = Incoming(message), Settings()
    took = timeit.repeat(lambda: decide_incoming(incoming, settings), number=TIMES, repeat=ROUNDS)
    yield Figure("rules into amoCRM, µs a message", "", f"{min(took) / TIMES * 1e6:.1f}")
