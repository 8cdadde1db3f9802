"""Looks into the relay's journal from outside, read only: what was said, and in which lane.

The log names no text, rightly; the page shows it, for everything here is pretended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.demo.shown import WHAT
from relay.sqlite.glance import glance

_TAKEN_OFF = "✕"
"""Stands for the words of what takes something away: a reaction, or a whole message."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A journal row: the text in it, the WhatsApp messages a receipt is about, and the lane.

    ``what``: the kind of the thing it holds, or ``text``.
    """

    text: str = ""
    what: str = "text"
    about: tuple[str, ...] = ()
    status: str = ""
    lane: str = ""


def look(database: Path, trace: str) -> Looked:
    """What the journal holds under a trace; nothing if there is nothing to be read."""
    seen = glance(database, trace)
    return Looked() if seen is None else _read(seen.source, seen.payload, seen.lane)


def _read(source: str, payload: bytes, lane: str) -> Looked:
    try:
        said: Any = json.loads(payload)
    except ValueError:
        return Looked(lane=lane)
    match source.partition("/")[0], said:
        case "whatsapp", {"type": "receipt", "ids": list(ids), "status": str(status)}:
            return Looked(about=tuple(map(str, ids)), status=status, lane=lane)
        case side, _:
            return Looked(*_words(side, said), lane=lane)


def _words(side: str, said: object) -> tuple[str, str]:
    """The words, and what kind of thing goes with them."""
    match side, said:
        case "amocrm", {"message": {"message": {"text": str(text)} as message}}:
            what = WHAT.get(str(message.get("type")), "text")
            return text or (str(message.get("file_name", "")) if what == "document" else ""), what
        case "whatsapp", {"media": {"what": str(what), "name": str(name)}, "text": str(text)}:
            return text or name, what
        case "whatsapp", {"place": {"name": str(name)}}:
            return name, "location"
        case "whatsapp", {"card": {"name": str(name)}}:
            return name, "contact"
        case _:
            return _plain_words(side, said), "text"


def _plain_words(side: str, said: object) -> str:
    match side, said:
        case "amocrm", {"action": {"reaction": dict(reaction)}}:
            return str(reaction.get("emoji") or _TAKEN_OFF)
        case "whatsapp", {"type": "reacted", "emoji": str(emoji)}:
            return emoji or _TAKEN_OFF
        case "whatsapp", {"type": "deleted"}:
            return _TAKEN_OFF
        case "whatsapp", {"text": str(text)}:
            return text
        case _:
            return ""
