"""A look into the journal from another process, read only, while the relay runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Glance:
    """What came in under a trace, raw, and the lane of the first letter that followed from it."""

    source: str
    payload: bytes
    lane: str = ""


def glance(database: Path, trace: str) -> Glance | None:
    """What the journal holds under a trace; None if nothing, or if it cannot be read now."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute(
                "SELECT source, payload FROM journal WHERE trace = ?", (trace,)
            ).fetchone()
            lane = connection.execute(
                "SELECT lane FROM entry WHERE trace = ? ORDER BY id", (trace,)
            ).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else Glance(row[0], row[1], lane[0] if lane else "")
