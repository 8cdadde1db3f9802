"""The lines of the library's own log: which of them are ours to see, and how."""

from __future__ import annotations

import ctypes
import re

import structlog

from relay.domain.phone import masked
from relay.whatsapp.linked_device import goodbye, withheld
from relay.whatsapp.linked_device.library import OnLine
from relay.whatsapp.linked_device.media_access import NOWHERE
from relay.whatsapp.linked_device.protobufs import as_text
from relay.whatsapp.linked_device.protobufs import load as load_protobufs

_TELLING = (goodbye.MARK, withheld.MARK)
_FOR_NOBODY = frozenset({"DEBUG", "INFO"})
_NUMBER = re.compile(r"\d{7,}")

log = structlog.get_logger(__name__)


def hear_log(address: int, size: int, overhear: OnLine) -> None:
    """A line of the library's log, on any thread of Go's."""
    if not address or size <= 0:
        return
    try:
        entry = load_protobufs().LogEntry.FromString(ctypes.string_at(address, size))
        level, line = as_text(entry.Level), as_text(entry.Message)
        if any(mark in line for mark in _TELLING):
            overhear(line)
        elif level not in _FOR_NOBODY and NOWHERE not in line:
            source = as_text(entry.Name)
            log.warning("library", source=source, level_there=level, message=without_numbers(line))
    except Exception as error:  # noqa: BLE001 - nothing may be raised into Go
        log.error("library_log_unreadable", error=type(error).__name__)


def without_numbers(text: str) -> str:
    """A text of the library as a log may show it."""
    return _NUMBER.sub(lambda found: masked(found.group()), text)
