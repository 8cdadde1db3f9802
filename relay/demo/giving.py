"""Gives files of strangers to browsers: in parts, if asked for, and so that nothing in them runs.

A player asks for parts. As in ``relay/media``: what a browser can show or play is shown, the rest
is to be saved; the browser keeps to the type that is told, and whatever opens it is a sandbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

UNKNOWN: Final = "application/octet-stream"

_SHOWN: Final = ("image/", "audio/", "video/")
_RUNS: Final = frozenset({"image/svg+xml"})
_HEADERS: Final = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Given:
    """An answer to a request for a file. ``headers`` are all but the type."""

    status: int
    body: bytes = field(repr=False)
    content_type: str
    headers: dict[str, str]


def give(data: bytes, content_type: str, name: str, asked: str = "") -> Given:
    """The file, or the part of it that a ``Range`` header asks for."""
    shown = _is_shown(content_type)
    how = "inline" if shown else "attachment"
    headers = _HEADERS | {"Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}"}
    part = _part(asked, len(data))
    if part is None:
        return Given(200, data, content_type, headers)
    if not part:
        return Given(416, b"", content_type, headers | {"Content-Range": f"bytes */{len(data)}"})
    where = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    body = data[part.start : part.stop]
    return Given(206, body, content_type, headers | {"Content-Range": where})


def _is_shown(content_type: str) -> bool:
    bare = content_type.partition(";")[0].strip().lower()
    return bare.startswith(_SHOWN) and bare not in _RUNS


def _part(asked: str, size: int) -> range | None:
    """What is asked for; empty if the file ends before; None if all of it is."""
    found = _RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    start, last = int(found[1]), int(found[2]) if found[2] else size - 1
    return range(start, min(last + 1, size))
