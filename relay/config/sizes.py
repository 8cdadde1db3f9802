"""Sizes in the file: a number of bytes, written with its unit."""

from __future__ import annotations

import re
from typing import Final

from relay.config.tree import Scalar
from relay.config.values import WrongValueError, expect

MB: Final = 1000 * 1000
GB: Final = 1000 * MB

_SIZES: Final = {"MB": MB, "GB": GB}
LARGEST_FILE: Final = 2 * GB
"""WhatsApp itself takes no larger ones."""

_SIZE = re.compile(r"([1-9][0-9]{0,5}) ?([MG]B)")


def size(value: object) -> int:
    """A number of bytes, written as a number and ``MB`` or ``GB`` (decimal)."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    text = value.text if isinstance(value, Scalar) else value
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise expect(value, "a size such as 100MB or 20GB")
    return int(match[1]) * _SIZES[match[2]]


def file_size(value: object) -> int:
    """A size that a file may have."""
    expected = "a size from 1MB to 2GB"
    try:
        found_bytes = size(value)
    except WrongValueError:
        raise expect(value, expected) from None
    if found_bytes > LARGEST_FILE:
        raise expect(value, expected)
    return found_bytes


def size_text(size_: int) -> str:
    """A size as it would be written in the file: ``100MB``."""
    return f"{size_ // GB}GB" if size_ >= GB and size_ % GB == 0 else f"{size_ // MB}MB"
