"""Reads and writes the protobuf wire format by field number, without generated code.

Only what the protocol needs: varints, doubles, and length-delimited fields. A field number is
written beside each value at the place of use, which is what a reader compares with a schema.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

Value = int | float | bytes | str | None

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are not a protobuf message."""


def encode(*fields: tuple[int, Value]) -> bytes:
    """Writes fields in the order given. ``None`` leaves a field out; a float becomes a double."""
    return b"".join(_field(number, value) for number, value in fields if value is not None)


def _field(number: int, value: int | float | bytes | str) -> bytes:
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | _BYTES) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | _FIXED64) + struct.pack("<d", value)
    return varint(number << 3 | _VARINT) + varint(value)


def varint(value: int) -> bytes:
    """Writes an unsigned integer in groups of seven bits, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Fields:
    """A message that was read: values by field number, the last one counts, as protobuf says."""

    def __init__(self, data: bytes) -> None:
        """Reads ``data``. Raises ``WireError`` if it is not a message."""
        self._values: dict[int, list[int | bytes]] = {}
        for number, value in _read(data):
            self._values.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._values

    def bytes(self, number: int) -> bytes:
        """The field's bytes, empty if it is absent."""
        value = self._values.get(number, [b""])[-1]
        if isinstance(value, int):
            raise WireError(f"field {number} is a number, bytes were expected")
        return value

    def number(self, number: int) -> int:
        """The field's number, 0 if it is absent."""
        value = self._values.get(number, [0])[-1]
        if not isinstance(value, int):
            raise WireError(f"field {number} holds bytes, a number was expected")
        return value

    def text(self, number: int) -> str:
        """The field's text, empty if it is absent; what is not UTF-8 is replaced."""
        return self.bytes(number).decode(errors="replace")

    def message(self, number: int) -> Fields:
        """The message inside the field, an empty one if it is absent."""
        return Fields(self.bytes(number))

    def messages(self, number: int) -> list[Fields]:
        """Every message of a repeated field."""
        return [Fields(value) for value in self._values.get(number, []) if isinstance(value, bytes)]


def _read(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint_at(data, at)
        match key & 7:
            case 0:
                value, at = _varint_at(data, at)
                yield key >> 3, value
            case 2:
                size, at = _varint_at(data, at)
                yield key >> 3, _slice(data, at, size)
                at += size
            case 1:
                yield key >> 3, _slice(data, at, 8)
                at += 8
            case 5:
                yield key >> 3, _slice(data, at, 4)
                at += 4
            case kind:
                raise WireError(f"wire type {kind} is not known")


def _slice(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise WireError(f"a field of {size} bytes ends behind the message")
    return data[at : at + size]


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise WireError("a number does not end")
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at
