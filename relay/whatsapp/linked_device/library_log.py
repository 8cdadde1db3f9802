"""The lines of the library's own log: which of them are ours to see, and how."""

from __future__ import annotations

import ctypes
import re

import structlog

from relay.domain.phone import masked
from relay.whatsapp.linked_device import goodbye, media_access
from relay.whatsapp.linked_device.library import OnLine
from relay.whatsapp.linked_device.media_access import NOWHERE
from relay.whatsapp.linked_device.protobufs import as_text
from relay.whatsapp.linked_device.protobufs import load as load_protobufs

_FOR_NOBODY = frozenset({"DEBUG", "INFO"})
_SEALED_FOR_NOBODY = tuple(b"\x12%c%s\x1a" % (len(level), level) for level in (b"DEBUG", b"INFO"))
"""The same as it stands in an entry (field 2 of 3): most lines need not be read to be dropped."""

_TELLING = (media_access.MARK, goodbye.MARK)
_SEALED_TELLING = tuple(mark.encode() for mark in _TELLING)
_NUMBER = re.compile(r"\d{7,}")

log = structlog.get_logger(__name__)


def hear_log(address: int, size: int, overhear: OnLine | None = None) -> None:
    """A line of the library's log, on any thread of Go's."""
    if not address or size <= 0:
        return
    try:
        sealed = ctypes.string_at(address, size)
        if _is_for_nobody(sealed):
            return
        entry = load_protobufs().LogEntry.FromString(sealed)
        level, line = as_text(entry.Level), as_text(entry.Message)
        if level in _FOR_NOBODY:
            if overhear is not None and any(mark in line for mark in _TELLING):
                overhear(line)
        elif NOWHERE not in line:
            source = as_text(entry.Name)
            log.warning("library", source=source, level_there=level, message=without_numbers(line))
    except Exception as error:  # noqa: BLE001 - nothing may be raised into Go
        log.error("library_log_unreadable", error=type(error).__name__)


def _is_for_nobody(sealed: bytes) -> bool:
    """There are several lines a message, each of which holds the library up until it is heard."""
    debug, info = _SEALED_FOR_NOBODY
    if debug not in sealed and info not in sealed:
        return False
    media, end = _SEALED_TELLING
    return media not in sealed and end not in sealed


def without_numbers(text: str) -> str:
    """A text of the library as a log may show it."""
    return _NUMBER.sub(lambda found: masked(found.group()), text)
