"""The table of figures, and the file it is kept in."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_SECTION = "\n## "
FILE = Path(__file__).parents[2] / "docs" / "benchmarks.md"

_TEXT = """# Benchmarks

Written by `python -m tests.bench`, which takes about four minutes. Last: {date}, on {machine}.

{table}

How they are measured:

* Bare and relay by turns in one run, on one machine, over a loopback; of several rounds the best
  one counts (for latencies: all of them). What answers is a small server in a process of its own.
* **Into amoCRM**: {lanes} conversations at once. The bare client is aiohttp's, signs and posts the
  same bodies and keeps nothing. The relay's messages are accepted, committed with `fsync`, posted,
  answered, and the outcome is committed, in order within each conversation; log lines are made and
  thrown away. The whole process is counted, the fake engine and the thread that commits included.
* **Hooks**: each server is a process of its own, under 200 kept connections with hooks signed
  beforehand. The bare handler reads the body and answers 200; the relay verifies, sorts and commits
  before it does. "At full speed" every connection sends the next hook at once, so that 200 hooks
  are always waiting and the answer takes as long as 200 hooks take; "at an even pace", measured
  before that rush leaves thousands waiting to be sent on, is what a sender meets.
* **Growth**: processor time a message, by turns in databases that are empty, or hold a million
  finished rows, or a hundred lanes whose head fails; and in a thousand lanes instead of {lanes}.
* **Files**: the bare loop downloads a picture, posts a message, and then does the next; beside it,
  so many such loops as there are conversations, all at once, which write each picture to a file.
  The relay downloads, hashes, recognises and keeps each with `fsync`, and posts in order. A burst
  of a thousand, and many of them one after the other: files of their own then come beside. A
  file of 100 MB comes from a process of its own and is fetched from us by curl; memory is the
  highest resident size meanwhile, beyond what it was before. Texts pass at an even pace, alone and
  beside such files by turns: medians of five turns, 300 texts each.
* **A reload**: in each round every user and every entry is another one; reading, checking,
  comparing, and what the rules make of it. Beside it a task beats every millisecond; its longest
  pause is the stall. In processor time: what this process worked meanwhile, on a machine however
  busy.
* **From the settings page**: a change over HTTP, made by a process of its own, from the call to the
  answer; its processor time and the stall include the reload that follows.
* **Memory**: resident size of a process without an engine, which takes a hundred thousand messages
  to amoCRM. Of the libraries that only the tests' tools bring none is loaded.

What to make of it: nearly all of the relay's time is Python running on one processor. Its POST
costs half of what aiohttp's does, a small download little more than a third
(`docs/decisions/0014-a-wire-of-its-own.md`): more is left for the rest.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``met``: whether it is as wanted (None: nothing is wanted)."""

    name: str
    bare: str
    relay: str
    ratio: str = ""
    wanted: str = ""
    met: bool | None = None


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table of Markdown."""
    lines = ["| figure | bare | relay | ratio | wanted | |", "|---|---:|---:|---:|---:|---|"]
    signs = {None: "", True: "✓", False: "falls short"}
    for one in figures:
        cells = (one.name, one.bare, one.relay, one.ratio, one.wanted, signs[one.met])
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def keep(figures: Sequence[Figure], lanes: int) -> None:
    """Write the file, but for the sections that others keep in it."""
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    text = _TEXT.format(date=date, machine=machine(), table=table(figures), lanes=lanes)
    FILE.write_text("".join([text, *_sections().values()]), encoding="utf-8")


def keep_section(title: str, body: str) -> None:
    """Write one section of the file, which the other benchmarks leave as it is."""
    head = FILE.read_text(encoding="utf-8").split(_SECTION, 1)[0]
    sections = _sections() | {title: f"{_SECTION}{title}\n\n{body}"}
    FILE.write_text("".join([head, *sections.values()]), encoding="utf-8")


def _sections() -> dict[str, str]:
    """The sections of the file by their titles."""
    parts = FILE.read_text(encoding="utf-8").split(_SECTION)[1:] if FILE.exists() else []
    return {part.partition("\n")[0]: _SECTION + part for part in parts}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    import statistics  # noqa: PLC0415 - it weighs nearly a megabyte, and one process is weighed

    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


def milliseconds(value: float) -> str:
    """Milliseconds, readable."""
    return f"{value:.1f} ms"


def times(value: float) -> str:
    """How many times as much."""
    return f"{value:.2f}×"


def machine() -> str:
    """This machine, in words."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processors = f"{os.cpu_count()} processors ({_processor()})"
    return f"{processors}, {gigabytes:.0f} GB, Python {platform.python_version()}"


def _processor() -> str:
    told = subprocess.run(["/usr/bin/lscpu"], capture_output=True, text=True, check=False)
    names = [line for line in told.stdout.splitlines() if line.startswith("Model name:")]
    return names[0].partition(":")[2].strip() if names else platform.machine()
