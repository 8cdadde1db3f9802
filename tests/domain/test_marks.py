"""The marks that open a message in amoCRM."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.marks import mark, marked

TITLE, PHONE = "[Продажи]", "[Отправлено с телефона]"
SOME_MARKS = st.sampled_from([[TITLE], [PHONE], [TITLE, PHONE]])
NO_MARKS: list[str] = []
MARKS = st.just(NO_MARKS) | SOME_MARKS


@given(st.text(), MARKS)
def test_what_somebody_wrote_is_never_changed(text: str, marks: list[str]) -> None:
    """Marks, one space, and every character but the blank that opened the text."""
    shown = marked(text, marks)
    opening = " ".join(marks)
    if not marks:
        assert shown == text
    elif text.strip():
        assert shown == f"{opening} {text.lstrip()}"
    else:
        assert shown == opening


@given(st.text(), SOME_MARKS)
def test_the_marks_stand_on_the_texts_own_first_line(text: str, marks: list[str]) -> None:
    """The first line that has words has the marks too; no line is added."""
    first = marked(text, marks).split("\n", 1)[0]
    assert first.startswith(" ".join(marks))
    if text.strip():
        assert text.lstrip().split("\n", 1)[0] in first


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Привет", "[A] [B] Привет"),
        ("\n\n Привет\nи пока ", "[A] [B] Привет\nи пока "),
        ("👋🏽", "[A] [B] 👋🏽"),
        ("\u200fשלום\u200e", "[A] [B] \u200fשלום\u200e"),
        ("", "[A] [B]"),
        (" \n\t\u00a0", "[A] [B]"),
        ("[A] [B] Привет", "[A] [B] [A] [B] Привет"),
        ("я" * 65_000, "[A] [B] " + "я" * 65_000),
    ],
)
def test_odd_texts(text: str, shown: str) -> None:
    """Emoji, right-to-left text with its marks, blanks, sixty-five thousand characters.

    What a person himself wrote in brackets is his text: it stays beside our marks.
    """
    assert marked(text, ["[A]", "[B]"]) == shown


@pytest.mark.parametrize(
    ("words", "shown"), [("Продажи", "[Продажи]"), ("  Отдел \u00a0 продаж ", "[Отдел продаж]")]
)
def test_a_mark_is_one_line_with_single_spaces(words: str, shown: str) -> None:
    """However a title is spaced in the file."""
    assert mark(words) == shown
