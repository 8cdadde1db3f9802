"""A text as a QR code for a terminal: two rows of squares in one line of characters."""

from __future__ import annotations

from collections.abc import Sequence

import segno

_QUIET = 2  # squares around the code; the standard asks for four, phones are content with two
_COLOURS, _PLAIN = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
"""Black on white, both said, so that it does not matter what the terminal's own colours are."""

_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def qr_lines(text: str) -> tuple[str, ...]:
    """The lines of the code, all of one width, without colours. Black is drawn, white is blank."""
    code = segno.make(text, error="l", micro=False, boost_error=False)
    rows = [[bool(square) for square in row] for row in code.matrix_iter(border=_QUIET)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return tuple("".join(_HALVES[both] for both in zip(*pair, strict=True)) for pair in pairs)


def coloured(lines: Sequence[str]) -> tuple[str, ...]:
    """The same as any terminal shows it right, be it dark or light."""
    return tuple(f"{_COLOURS}{line}{_PLAIN}" for line in lines)
