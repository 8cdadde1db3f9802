"""Reads what the protocol's dictionary holds out of the installed client library.

The token tables are constants of the shared library; reading them from its data sections saves
this repository a copy and proves that both sides speak of the same version.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT_KEY = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
"""The key that signs the service's Noise certificates: a public constant of the protocol."""

SINGLE_TOKENS = 236
DOUBLE_TOKENS = 256
_RELATIVE = (8, 1027)  # R_X86_64_RELATIVE, R_AARCH64_RELATIVE
_FIRST_SINGLE = (b"xmlstreamstart", b"xmlstreamend", b"s.whatsapp.net", b"type")
_FIRST_DOUBLE = (b"read-self", b"active", b"fbns")


class LibraryError(RuntimeError):
    """The installed library does not look as this reader expects."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The dictionary: ``single[byte]`` and ``double[table][byte]``."""

    single: tuple[str, ...]
    double: tuple[tuple[str, ...], ...]


def library_path() -> Path:
    """Where the shared library lies, found without importing the package."""
    spec = importlib.util.find_spec("neonize")
    if spec is None or spec.origin is None:
        raise LibraryError("neonize is not installed")
    found = sorted(Path(spec.origin).parent.glob("neonize-*.so"))
    if len(found) != 1:
        raise LibraryError(f"one shared library was expected, found {found}")
    return found[0]


@functools.cache
def tokens() -> Tokens:
    """The token tables of the installed library. Raises ``LibraryError`` if they are not found."""
    image = _Image(library_path().read_bytes())
    return Tokens(_single(image), _double(image))


class _Image:
    """A 64-bit little-endian ELF file with its relative relocations, addressed as when loaded."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._sections = list(self._read_sections())
        self.pointers = dict(self._read_relocations())

    def _read_sections(self) -> Iterator[tuple[str, int, int, int]]:
        (table,) = struct.unpack_from("<Q", self._data, 0x28)
        size, count, names_index = struct.unpack_from("<HHH", self._data, 0x3A)
        headers = [
            struct.unpack_from("<IIQQQQ", self._data, table + i * size) for i in range(count)
        ]
        names = headers[names_index][4]
        for name, _, _, address, offset, length in headers:
            end = self._data.index(b"\0", names + name)
            yield self._data[names + name : end].decode(), address, offset, length

    def _read_relocations(self) -> Iterator[tuple[int, int]]:
        for name, _, offset, length in self._sections:
            if name == ".rela.dyn":
                table = self._data[offset : offset + length]
                for at, kind, target in struct.iter_unpack("<QQq", table):
                    if kind & 0xFFFFFFFF in _RELATIVE:
                        yield at, target

    def read(self, address: int, size: int) -> bytes:
        for _, start, offset, length in self._sections:
            if start and start <= address < start + length:
                at = offset + address - start
                return self._data[at : at + size]
        return b""

    def addresses(self, text: bytes) -> set[int]:
        """Wherever these bytes lie when the library is loaded."""
        places = [match.start() for match in re.finditer(re.escape(text), self._data)]
        return {
            start + place - offset
            for _, start, offset, length in self._sections
            for place in places
            if start and offset <= place < offset + length
        }

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")

    def string(self, header: int) -> bytes:
        """The Go string whose header (pointer, length) lies at ``header``."""
        return self.read(self.pointers.get(header, 0), self.word(header + 8))

    def begins(self, header: int, expected: tuple[bytes, ...]) -> bool:
        return all(self.string(header + 16 * i) == text for i, text in enumerate(expected))


def _single(image: _Image) -> tuple[str, ...]:
    first = _find(image, _FIRST_SINGLE)
    return ("", *(image.string(first + 16 * i).decode() for i in range(SINGLE_TOKENS - 1)))


def _double(image: _Image) -> tuple[tuple[str, ...], ...]:
    first = _find(image, _FIRST_DOUBLE)
    holders = [at for at, target in image.pointers.items() if target == first]
    slices = [at for at in holders if image.word(at + 8) == DOUBLE_TOKENS]
    if len(slices) != 1:
        raise LibraryError(f"one array of double tokens was expected, found {len(slices)}")
    tables = [image.pointers[slices[0] + 24 * i] for i in range(4)]
    return tuple(
        tuple(image.string(table + 16 * i).decode() for i in range(DOUBLE_TOKENS))
        for table in tables
    )


def _find(image: _Image, expected: tuple[bytes, ...]) -> int:
    """Where the only run of string headers that reads ``expected`` begins."""
    texts = image.addresses(expected[0])
    holders = (at for at, target in image.pointers.items() if target in texts)
    found = [at for at in holders if image.begins(at, expected)]
    if len(found) != 1:
        raise LibraryError(f"one table beginning with {expected[0]!r} expected, {len(found)} found")
    return found[0]
