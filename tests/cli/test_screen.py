"""Where a pairing shows its codes."""

from __future__ import annotations

import io
import json

import pytest

from relay.cli.qr import coloured, qr_lines
from relay.cli.screen import TAKEN, Events, Page, Plain, Size, Terminal, drawn, shown

CODE = qr_lines("https://wa.me/settings/linked_devices#" + "x" * 230)
WIDE = Size(120, 50)


def test_a_code_is_drawn_with_the_seconds_left() -> None:
    """The code is there whole, above it what to do, below it how long it is good for."""
    page = Page("Scan this:", code=CODE, until=160.0)
    assert drawn(page, 100.0, WIDE) == ("Scan this:", *coloured(CODE), "60 s left")
    assert drawn(page, 159.6, WIDE)[-1] == "0 s left"
    assert drawn(page, 200.0, WIDE)[-1] == "0 s left"


@pytest.mark.parametrize(
    ("size", "whole"),
    [
        (Size(len(CODE[0]), len(CODE) + 1), True),
        (Size(len(CODE[0]) - 1, 200), False),
        (Size(200, len(CODE)), False),
    ],
)
def test_a_code_is_never_drawn_in_part(size: Size, whole: bool) -> None:
    """A window that is too small is told so, with the size it needs; no line is ever cut."""
    lines = drawn(Page("Scan this:", code=CODE, until=9.0), 0.0, size)
    assert (lines[: len(CODE)] == coloured(CODE)) is whole
    assert len(lines) <= size.lines
    if not whole:
        assert f"{len(CODE[0])} columns and {len(CODE) + 1} lines" in lines[0]
        assert any("--code" in line for line in lines)


def test_letters_are_drawn() -> None:
    """The letters stand alone on their line."""
    lines = drawn(Page("Type this:", letters="ABCD-EFGH", until=100.0), 40.0, WIDE)
    assert [line.strip() for line in lines] == ["Type this:", "", "ABCD-EFGH", "", "60 s left"]


def test_a_terminal_is_drawn_over() -> None:
    """Each drawing begins at the top and clears what is left of the one before."""
    out = io.StringIO()
    now = [0.0]
    terminal = Terminal(out, lambda: WIDE, lambda: now[0])
    terminal.show_code("first", 60)
    now[0] = 1.0
    terminal.draw()
    terminal.show_code("second", 20)
    terminal.taken()
    one, two, three, four = out.getvalue().split("\x1b[H")[1:]
    assert "60 s left" in one
    assert "59 s left" in two
    assert "20 s left" in three
    assert qr_lines("second")[3] in three
    assert qr_lines("first")[3] not in three
    assert TAKEN in four
    assert all(drawing.endswith("\x1b[J") for drawing in (one, two, three, four))


def test_plain_text_is_said_once() -> None:
    """Without a terminal each code is one line of output; what is for people goes elsewhere."""
    codes, words = io.StringIO(), io.StringIO()
    plain = Plain(codes, words)
    plain.show_code("https://wa.me/1", 60)
    plain.show_code("https://wa.me/2", 20)
    plain.show_letters("ABCD-EFGH", 160)
    plain.taken()
    assert codes.getvalue().splitlines() == ["https://wa.me/1", "https://wa.me/2", "ABCD-EFGH"]
    assert "20 s" in words.getvalue()
    assert TAKEN in words.getvalue()


def test_events_are_lines_of_json() -> None:
    """For a program: what is shown, for how long, and that it was taken."""
    out = io.StringIO()
    events = Events(out)
    events.show_code("https://wa.me/1", 60)
    events.show_letters("ABCD-EFGH", 160)
    events.taken()
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"event": "qr", "text": "https://wa.me/1", "seconds": 60},
        {"event": "letters", "text": "ABCD-EFGH", "seconds": 160},
        {"event": "taken"},
    ]


class _Window(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


async def test_a_dumb_terminal_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be drawn over is treated like a file."""
    monkeypatch.setenv("TERM", "dumb")
    out = _Window()
    async with shown(out, io.StringIO()) as screen:
        screen.show_code("https://wa.me/1", 60)
    assert out.getvalue() == "https://wa.me/1\n"
