"""Sizes in words, and what a manager is told of a file that could not be had."""

from __future__ import annotations

import pytest

from relay.domain.contents import Loss, Lost, Media, MediaKind
from relay.domain.losses import refusal_words, size_words
from relay.domain.settings import Language

RU, EN = Language.RU, Language.EN


@pytest.mark.parametrize(
    ("size", "language", "words"),
    [
        (0, RU, "0 байт"),
        (999, EN, "999 bytes"),
        (1000, RU, "1 КБ"),
        (1449, EN, "1.4 KB"),
        (18_231, RU, "18,2 КБ"),
        (128_000_000, RU, "128 МБ"),
        (999_999_999, EN, "1 GB"),
        (2_000_000_000, RU, "2 ГБ"),
        (5_000_000_000_000, EN, "5000 GB"),
    ],
)
def test_a_size_is_told_as_people_say_it(size: int, language: Language, words: str) -> None:
    """Decimal units, at most one decimal, a comma in Russian."""
    assert size_words(size, language) == words


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("why", Loss)
@pytest.mark.parametrize("name", ["", "{limit} {}.pdf", "a/b\n.pdf"])
def test_every_loss_has_words_with_a_next_step(why: Loss, language: Language, name: str) -> None:
    """Two sentences on one line, whatever the file is called."""
    lost = Lost(why, 128_000_000 if why is Loss.TOO_LARGE else None)
    words = refusal_words(Media(MediaKind.DOCUMENT, lost, name=name), lost, language)
    assert words.count(". ") >= 1
    assert words.endswith(".")
    assert "\n" not in words
    assert ("128" in words) == (why is Loss.TOO_LARGE)
    assert ("{limit} {}.pdf" in words) == name.startswith("{")
