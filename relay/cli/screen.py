"""Where a pairing shows its codes: a terminal, drawn anew every second, or lines of plain text."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TextIO

import orjson

from relay.cli.qr import coloured, qr_lines
from relay.whatsapp.linked_device.pairing_terms import Screen

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""A page of its own without a cursor, and back to what was there before."""
_FROM_THE_TOP, _REST_OF_LINE, _REST_OF_PAGE = "\x1b[H", "\x1b[K", "\x1b[J"

WHERE_QR = "On the phone: WhatsApp → Settings → Linked devices → Link a device. Scan this:"
WHERE_LETTERS = (
    "On the phone: WhatsApp → Settings → Linked devices → Link a device → "
    "Link with phone number instead. Type this:"
)
TAKEN = "The phone has taken it. Wait a moment: WhatsApp is letting the new device in."


@dataclass(frozen=True, slots=True)
class Size:
    """Of a terminal, in characters."""

    columns: int
    lines: int


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be seen: a code, letters, or only words. ``until`` is by the monotonic clock."""

    words: str
    code: tuple[str, ...] = ()
    letters: str = ""
    until: float | None = None


def drawn(page: Page, now: float, size: Size) -> tuple[str, ...]:
    """The lines of a page as they are at that moment, no more than fit."""
    left = () if page.until is None else (f"{max(0, round(page.until - now))} s left",)
    if page.letters:
        return page.words, "", f"    {page.letters}", "", *left
    if not page.code:
        return (page.words,)
    width, height = len(page.code[0]), len(page.code) + 1
    if size.columns < width or size.lines < height:
        return (
            f"The QR code needs a window of {width} columns and {height} lines.",
            f"This one has {size.columns} and {size.lines}: enlarge it, make its letters smaller,",
            "or press Ctrl-C and link with --code PHONE.",
            *left,
        )
    words = (page.words,) if size.lines > height and size.columns >= len(page.words) else ()
    return *words, *coloured(page.code), *left


@dataclass(slots=True)
class Terminal:
    """A page of a terminal; implements :class:`Screen`."""

    out: TextIO
    size: Callable[[], Size]
    clock: Callable[[], float] = time.monotonic
    page: Page = field(default_factory=lambda: Page("Asking WhatsApp…"))

    def show_code(self, text: str, seconds: int) -> None:
        """Draw it as QR code."""
        self._turn(Page(WHERE_QR, code=qr_lines(text), until=self.clock() + seconds))

    def show_letters(self, letters: str, seconds: int) -> None:
        """Draw the letters."""
        self._turn(Page(WHERE_LETTERS, letters=letters, until=self.clock() + seconds))

    def taken(self) -> None:
        """Say so."""
        self._turn(Page(TAKEN))

    def draw(self) -> None:
        """Draw the page as it is now."""
        lines = drawn(self.page, self.clock(), self.size())
        body = f"{_REST_OF_LINE}\n".join(lines)
        self.out.write(f"{_FROM_THE_TOP}{body}{_REST_OF_LINE}{_REST_OF_PAGE}")
        self.out.flush()

    def _turn(self, page: Page) -> None:
        self.page = page
        self.draw()


@dataclass(slots=True)
class Plain:
    """Codes as text, for whoever draws them himself; implements :class:`Screen`."""

    codes: TextIO
    words: TextIO

    def show_code(self, text: str, seconds: int) -> None:
        """The text on a line of its own, once."""
        print(text, file=self.codes, flush=True)
        print(f"to be shown as QR code, {seconds} s", file=self.words, flush=True)

    def show_letters(self, letters: str, seconds: int) -> None:
        """The letters on a line of their own."""
        print(letters, file=self.codes, flush=True)
        print(f"{WHERE_LETTERS} {letters} ({seconds} s)", file=self.words, flush=True)

    def taken(self) -> None:
        """Say so."""
        print(TAKEN, file=self.words, flush=True)


def line(**keys: object) -> str:
    """An event as a line of JSON."""
    return orjson.dumps(keys).decode()


@dataclass(slots=True)
class Events:
    """A JSON object a line, for another program; implements :class:`Screen`."""

    out: TextIO

    def show_code(self, text: str, seconds: int) -> None:
        """The text of a QR code."""
        self.tell(event="qr", text=text, seconds=seconds)

    def show_letters(self, letters: str, seconds: int) -> None:
        """The letters."""
        self.tell(event="letters", text=letters, seconds=seconds)

    def taken(self) -> None:
        """Say so."""
        self.tell(event="taken")

    def tell(self, **keys: object) -> None:
        """One line."""
        print(line(**keys), file=self.out, flush=True)


@asynccontextmanager
async def shown(out: TextIO, words: TextIO) -> AsyncIterator[Screen]:
    """The screen that fits ``out``."""
    if not out.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield Plain(out, words)
        return
    terminal = Terminal(out, partial(_size, out))
    out.write(_ENTER)
    drawing = asyncio.create_task(_draw_for_ever(terminal), name="terminal")
    try:
        yield terminal
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError):
            await drawing
        out.write(_LEAVE)
        out.flush()


async def _draw_for_ever(terminal: Terminal) -> None:
    while True:
        terminal.draw()
        await asyncio.sleep(1)


def _size(out: TextIO) -> Size:
    """Of the terminal at this moment: its window may be made larger meanwhile."""
    return Size(*os.get_terminal_size(out.fileno()))
