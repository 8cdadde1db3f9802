"""The wire between the pretended WhatsApp and a linked device: one JSON object a line.

device    {"hello": CHANNEL}                            once, first
WhatsApp  {"session": {"online": BOOL, "paired": BOOL, "own": NUMBER}}
          at once and at each change
WhatsApp  {"event": TEXT}                               one at a time, until it is
device    {"taken": true}                               taken
device    {"send": {"tag": N, "to": NUMBER, "text": TEXT}}
          with a file, after its bytes: {…, "media": {"what", "name", "mime", "duration_s",
          "waveform"}}
          answering a message: {…, "quotes": ID}
device    {"react": {"tag": N, "target": ID, "emoji": TEXT}}
device    {"typing": {"to": NUMBER}}
device    {"piece": {"tag": N, "data": BASE64}}         of the file that is about to be sent
device    {"fetch": {"tag": N, "ref": REF, "offset": N}}
WhatsApp  {"fetched": {"tag": N, "result": "piece" | "gone" | "offline", "data": BASE64}}
WhatsApp  {"sent": {"tag": N, "result": RESULT, "id": ID}}
          RESULT: "sent" | "offline" | "not_on_whatsapp" | "no_message"

Whoever links a channel says {"link": CHANNEL, "number": NUMBER | null} instead of hello, and is
told the events of ``relay pair --events``.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

LONGEST_LINE = 256 * 1024
"""Bytes of a line, more than any message of the demonstration needs."""

PIECE = 96 * 1024
"""Bytes of a file in one line, before they are written as base64; a shorter piece is the last."""

Said = dict[str, Any]


async def hear(reader: asyncio.StreamReader) -> Said | None:
    """The next thing said; None once the other side has gone.

    Raises:
        ValueError: it is not a JSON object on a line.
    """
    try:
        line = await reader.readline()
    except OSError:
        return None
    if not line.endswith(b"\n"):
        return None
    said = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError("expected a JSON object on a line")
    return said


def say(writer: asyncio.StreamWriter, said: Said) -> None:
    """Say something; a writer whose other side has gone swallows it."""
    if not writer.is_closing():
        writer.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")
