"""QR codes in a terminal."""

from __future__ import annotations

import segno
from hypothesis import given
from hypothesis import strategies as st

from relay.cli.qr import coloured, qr_lines

_BLACK = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}


def squares(lines: tuple[str, ...]) -> list[list[int]]:
    """The rows of black (1) and white (0) squares that somebody sees."""
    rows: list[list[int]] = []
    for line in lines:
        pairs = [_BLACK[character] for character in line]
        rows += [[top for top, _ in pairs], [bottom for _, bottom in pairs]]
    return rows


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=400))
def test_the_drawing_is_the_code(text: str) -> None:
    """What is drawn is the code, square by square, with two white squares around it."""
    code = [list(row) for row in segno.make(text, error="l", micro=False, boost_error=False).matrix]
    seen = squares(qr_lines(text))
    inner = [row[2 : 2 + len(code)] for row in seen[2 : 2 + len(code)]]
    assert inner == code
    black = sum(map(sum, seen))
    assert black == sum(map(sum, code))
    assert {len(row) for row in seen} == {len(code) + 4}


def test_colours_are_said() -> None:
    """Each line says black on white and ends with the terminal's own, so none shows inverted."""
    for plain, line in zip(qr_lines("x"), coloured(qr_lines("x")), strict=True):
        assert line == f"\x1b[38;5;16;48;5;231m{plain}\x1b[0m"


def test_a_code_of_whatsapp_fits_a_window() -> None:
    """A text as long as WhatsApp's takes 65 columns and 33 lines at most."""
    text = "https://wa.me/settings/linked_devices#2@" + ",".join(["x" * 64, *["y" * 44] * 3, "1"])
    lines = qr_lines(text)
    assert len(lines[0]) <= 65
    assert len(lines) <= 33
