"""The demonstration's own samples: what a phone or a manager can send without a file at hand.

Pictures, film and sound are kept as small files, which ``tests/demo/draw_samples.py`` makes; the
documents are written here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from relay.demo.pretended_whatsapp import Attachment, Card, Place, Thing

FOLDER: Final = Path(__file__).parent

_LARGE: Final = 3_000_000  # bytes: over a limit that is set to try it out

_PRICES: Final = (
    "Price list",
    "",
    "Armchair, terracotta ........ 24 900",
    "Armchair, forest green ...... 24 900",
    "Floor lamp ................... 6 400",
    "Delivery in two days ........... 900",
)
_CATALOGUE: Final = ("Catalogue", "", "Everything we have, in print quality.")


@cache
def sample(name: str) -> Thing:
    """The sample of that name.

    Raises:
        KeyError: there is none.
    """
    return _SAMPLES[name]()


@cache
def portrait(name: str) -> bytes:
    """The picture that somebody of that name shows of himself, 96 pixels wide."""
    return (FOLDER / f"{name}.png").read_bytes()


def pdf(lines: tuple[str, ...], padding: int = 0) -> bytes:
    """A document of one page with these lines, in letters of ASCII, and as many idle bytes."""
    shown = "".join(f"({line}) Tj 0 -26 Td\n" for line in lines)
    words = f"BT /F1 16 Tf 60 760 Td\n{shown}ET".encode("ascii")
    parts = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources 7 0 R>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(words), words),
        b"<</Length %d>>stream\n%s\nendstream" % (padding, bytes(padding)),
        b"<</Font<</F1 4 0 R>>>>",
    )
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(written))
        written += b"%d 0 obj%s endobj\n" % (number, part)
    start, count = len(written), len(parts) + 1
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    written += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(written)


def _file(
    name: str,
    what: str,
    mime: str,
    duration_s: int | None = None,
    waveform: tuple[int, ...] = (),
) -> Callable[[], Thing]:
    return lambda: Attachment(what, (FOLDER / name).read_bytes(), "", mime, duration_s, waveform)


def _tune() -> tuple[int, ...]:
    """How loud the tune is, as it is made: six notes, each half a second after the one before."""
    bars, length_s = 64, 3.5
    moments = (length_s * bar / bars for bar in range(bars))
    return tuple(round(100 * math.exp(-4 * (at - min(at // 0.5, 5) * 0.5))) for at in moments)


def _document(name: str, lines: tuple[str, ...], padding: int = 0) -> Callable[[], Thing]:
    return lambda: Attachment("document", pdf(lines, padding), name, "application/pdf")


_SAMPLES: Final[dict[str, Callable[[], Thing]]] = {
    "question": _file("question.png", "image", "image/png"),
    "answer": _file("answer.png", "image", "image/png"),
    "film": _file("video.mp4", "video", "video/mp4", 3),
    "voice": _file("voice.ogg", "voice", "audio/ogg; codecs=opus", 4, _tune()),
    "sticker": _file("sticker.webp", "sticker", "image/webp"),
    "price": _document("Прайс-лист.pdf", _PRICES),
    "catalogue": _document("Каталог.pdf", _CATALOGUE, _LARGE),
    "place": lambda: Place(55.7601, 37.6186, "Москва, Театральная площадь, 1"),
    "card": lambda: Card("Пётр, сборка мебели", "+7 900 000-00-07"),
}
