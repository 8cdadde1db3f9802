"""Reads a QR code from its modules, as a phone's camera does once it has found them.

Its modules must be right: they are read, not mended. Versions 1 to 15 with the lowest correction,
text in bytes: what WhatsApp's codes are. Source: ISO/IEC 18004.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

Modules = Sequence[Sequence[int]]

_BLOCKS = {
    1: [19], 2: [34], 3: [55], 4: [80], 5: [108], 6: [68, 68], 7: [78, 78], 8: [97, 97],
    9: [116, 116], 10: [68, 68, 69, 69], 11: [81] * 4, 12: [92, 92, 93, 93], 13: [107] * 4,
    14: [115, 115, 115, 116], 15: [87] * 5 + [88],
}  # fmt: skip
"""Data bytes of each block, by version, for correction level L."""

_ALIGNMENT = {
    2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42],
    9: [6, 26, 46], 10: [6, 28, 50], 11: [6, 30, 54], 12: [6, 32, 58], 13: [6, 34, 62],
    14: [6, 26, 46, 66], 15: [6, 26, 48, 70],
}  # fmt: skip

_MASKS: list[Callable[[int, int], bool]] = [
    lambda y, x: (y + x) % 2 == 0,
    lambda y, _: y % 2 == 0,
    lambda _, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
]

_FORMAT_MASK = 0b101010000010010
_LEVEL_L = 0b01
_BYTES = 0b0100


def read(modules: Modules) -> str:
    """The text of the code; ``modules`` are 1 where it is black, without the quiet zone."""
    version = (len(modules) - 17) // 4
    assert all(len(row) == len(modules) == 17 + 4 * version for row in modules)
    words = _codewords(modules, version)
    bits = "".join(f"{byte:08b}" for byte in _data(words, _BLOCKS[version]))
    assert int(bits[:4], 2) == _BYTES
    wide = 4 + (8 if version < 10 else 16)
    count = int(bits[4:wide], 2)
    return bytes(int(bits[at : at + 8], 2) for at in range(wide, wide + 8 * count, 8)).decode()


def _codewords(modules: Modules, version: int) -> list[int]:
    """Every byte of the code, unmasked, in the order of its two-column path."""
    mask = _mask(modules)
    taken = _pattern(version)
    bits = "".join(
        str(modules[y][x] ^ mask(y, x)) for y, x in _path(len(modules)) if (y, x) not in taken
    )
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits) - len(bits) % 8, 8)]


def _mask(modules: Modules) -> Callable[[int, int], bool]:
    """By the format beside the upper left corner."""
    places = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    said = int("".join(str(modules[y][x]) for y, x in places), 2) ^ _FORMAT_MASK
    assert said >> 13 == _LEVEL_L
    return _MASKS[said >> 10 & 0b111]


def _path(side: int) -> Iterator[tuple[int, int]]:
    """Up and down in columns of two, from the right; the timing column is left out."""
    rights = [x for x in range(side - 1, 6, -2)] + [5, 3, 1]  # noqa: C416 - two lists in one
    for turn, right in enumerate(rights):
        rows = range(side) if turn % 2 else range(side - 1, -1, -1)
        yield from ((y, x) for y in rows for x in (right, right - 1))


def _pattern(version: int) -> set[tuple[int, int]]:
    """The places that hold no data."""
    side = 17 + 4 * version
    corner, far = range(9), range(side - 8, side)
    taken = {(y, x) for y in corner for x in corner}
    taken |= {(y, x) for y in far for x in corner} | {(y, x) for y in corner for x in far}
    taken |= {(6, each) for each in range(side)} | {(each, 6) for each in range(side)}
    centres = _ALIGNMENT.get(version, [])
    for y in centres:
        for x in centres:
            if not {(y, x)} & {(6, 6), (6, side - 7), (side - 7, 6)}:
                taken |= {(y + dy, x + dx) for dy in range(-2, 3) for dx in range(-2, 3)}
    if version >= 7:
        near = range(side - 11, side - 8)
        taken |= {(y, x) for y in range(6) for x in near} | {(y, x) for y in near for x in range(6)}
    return taken


def _data(words: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """The blocks one after the other: they stand in the code byte by byte in turns."""
    blocks: list[list[int]] = [[] for _ in sizes]
    stream = iter(words)
    for at in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if at < size:
                block.append(next(stream))
    return [byte for block in blocks for byte in block]
