"""Growth: what a message costs in a database that has seen much, beside an empty one."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from relay.app.clock import SystemClock
from relay.delivery.ledger import Ledger
from relay.domain.bodies import StatusUpdate
from relay.domain.ids import CrmMessageId
from relay.domain.message import Status
from relay.domain.outbox import Destination, EntryState, Letter
from relay.domain.retry import HOUR, MINUTE
from relay.sqlite import open_store
from tests.bench.into_amocrm import LANES, Counter, push
from tests.bench.report import Figure, times
from tests.bench.rig import OWN, Rig, file_for, rig

ROUNDS, MESSAGES = 7, 1_000
ROWS = 1_000_000
MANY_LANES = 1_000
DEAD_LANES, BEHIND = 100, 10
WANTED = 1.15

_COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows) "
_JOURNAL = (
    "INSERT INTO journal (side, source, trace, received_ms, state, payload)"
    " SELECT 'amocrm', 'whatsapp/sales', 'old', 1000 + i, 1, zeroblob(200) FROM n"
)
_ENTRY = (
    "INSERT INTO entry (key, lane, destination, channel, trace, state, head, attempts,"
    " accepted_ms, expires_ms, due_ms, wake_ms, finished_ms, body)"
    " SELECT 'message:wa-old-' || i, 'in:wa-' || (i % 5000), 'amocrm', 'sales', 'old', 2, 0, 1,"
    " 1000 + i, 9000 + i, 1000 + i, 1000 + i, 1000 + i, zeroblob(300) FROM n"
)
_LINK = (
    "INSERT INTO link (own, whatsapp_id, crm_id, kept_ms)"
    " SELECT :own, printf('3EA0%012X', i), 'crm-' || i, 1000 + i FROM n"
)


async def grown(amocrm: str) -> Iterator[Figure]:
    """Three databases by turns."""
    async with contextlib.AsyncExitStack() as stack:
        rigs: dict[str, tuple[Rig, Counter]] = {}
        for name in ("empty", "finished", "dead"):
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            if name == "finished":
                await _finish_many(amocrm, home)
            counter = Counter()
            rigged = await stack.enter_async_context(rig(amocrm, counter, home))
            if name == "dead":
                await rigged.parts.store.transact(_fail)
            rigs[name] = rigged, counter
            await push(rigged, counter, 0, MESSAGES)
        best = await _measure(rigs)
    names = {
        "finished": f"{ROWS:,} finished rows".replace(",", " "),
        "lanes": f"{MANY_LANES:,} lanes".replace(",", " "),
        "dead": f"{DEAD_LANES} lanes whose head fails",
    }
    return iter([_figure(names[name], best["empty"], best[name]) for name in names])


async def _measure(rigs: dict[str, tuple[Rig, Counter]]) -> dict[str, float]:
    """Processor microseconds a message, the best round of each."""
    best: dict[str, float] = {}
    turns = [(name, name, LANES) for name in rigs] + [("lanes", "empty", MANY_LANES)]
    for number in range(1, ROUNDS + 1):
        for place, (name, database, lanes) in enumerate(turns):
            rigged, counter = rigs[database]
            first = (number * len(turns) + place) * 1_000_000
            cost = await push(rigged, counter, first, MESSAGES, lanes)
            best[name] = min(best.get(name, 1e9), cost.cpu / MESSAGES * 1e6)
    return best


async def _finish_many(amocrm: str, home: Path) -> None:
    with file_for(amocrm, home) as (_, config):
        directory = config.storage.directory
    async with open_store(directory, account=amocrm):
        pass  # made and migrated
    connection = sqlite3.connect(directory / "relay.db")
    with connection:
        connection.execute("PRAGMA synchronous = OFF")
        for statement in (_JOURNAL, _ENTRY, _LINK):
            connection.execute(_COUNT + statement, {"rows": ROWS, "own": OWN})
    connection.close()


def _fail(ledger: Ledger) -> None:
    """Lanes whose head waits for a later try, with letters behind it.

    Later than the bench takes, sooner than the longest wait: what waits longer is sent at once.
    """
    now_ms = SystemClock().now_ms()
    later_ms = now_ms + 4 * MINUTE
    for lane in range(DEAD_LANES):
        for place in range(BEHIND):
            id_ = CrmMessageId(f"dead-{lane}-{place}")
            letter = Letter(
                key=id_,
                lane=f"status:dead-{lane}",
                destination=Destination.AMOCRM,
                body=StatusUpdate(id_, Status.READ),
                trace="dead",
                channel=None,
                accepted_ms=now_ms,
                expires_ms=now_ms + HOUR,
            )
            entry = ledger.put(letter)
            if place == 0 and entry is not None:
                ledger.settle(entry, EntryState.PENDING, attempts=1, due_ms=later_ms, now_ms=now_ms)


def _figure(name: str, empty: float, full: float) -> Figure:
    ratio = full / empty
    return Figure(
        f"processor µs a message, {name}",
        f"{empty:.0f} (empty)",
        f"{full:.0f}",
        times(ratio),
        f"≤ {times(WANTED)}",
        met=ratio <= WANTED,
    )
