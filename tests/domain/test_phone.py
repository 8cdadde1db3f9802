"""Telephone numbers: one number however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.phone import masked, normalise

OURS = "74950000001"


@pytest.mark.parametrize(
    "written",
    [
        "+79001234567",
        "79001234567",
        "89001234567",
        "9001234567",
        "8 (900) 123-45-67",
        "+7 900 123 45 67",
        " 8-900-123-45-67 ",
        "\u202a+7 900 123-45-67\u202c",
    ],
)
def test_every_notation_of_a_number_is_the_number(written: str) -> None:
    """A Russian number beside a Russian channel is one number in all its notations."""
    assert normalise(written, OURS) == "79001234567"


@given(st.lists(st.sampled_from(" ()-."), min_size=0, max_size=10), st.randoms())
def test_punctuation_means_nothing(marks: list[str], random: object) -> None:
    """Any punctuation between the digits leaves the number what it is."""
    digits = list("79001234567")
    for index, mark in enumerate(marks):
        digits.insert(1 + index * 2 % len(digits), mark)
    assert normalise("+" + "".join(digits), OURS) == "79001234567"


MARKS = " ()-.\t\n\u00a0\u2009\u202f\u2011\u2013\u2014\u202a\u202c\u200e\u2060"


@given(
    st.sampled_from(["+7", "7", "8", ""]),
    st.from_regex(r"9[0-9]{9}", fullmatch=True),
    st.lists(st.text(alphabet=MARKS, max_size=3), min_size=12, max_size=12),
)
def test_any_punctuation_of_one_number_is_one_number(
    country: str, national: str, marks: list[str]
) -> None:
    """With plus, 7, 8 or nothing before it, and any marks anywhere: one number, one client."""
    digits = [country, *national]
    written = "".join(mark + digit for mark, digit in zip(marks, digits, strict=False)) + marks[-1]
    assert normalise(written, OURS) == f"7{national}"


@pytest.mark.parametrize(
    ("written", "digits"), [("+44 7700 900555", "447700900555"), ("+1 202 555 0123", "12025550123")]
)
def test_a_plus_means_what_it_says(written: str, digits: str) -> None:
    """A number with a plus is international, whatever our own country is."""
    assert normalise(written, OURS) == digits


@pytest.mark.parametrize("written", ["", "abc", "12", "+", "нет телефона", "0" * 40])
def test_what_cannot_be_a_number_is_none(written: str) -> None:
    """No number is guessed out of what is not one."""
    assert normalise(written, OURS) is None


@given(st.text(max_size=60))
def test_no_text_is_an_error(written: str) -> None:
    """Cards hold anything: the answer is digits or None, never an exception."""
    number = normalise(written, OURS)
    assert number is None or number.isdigit()


def test_a_masked_number_shows_its_country_and_two_digits() -> None:
    """A log never holds a whole number."""
    assert masked("79001234567") == "+7…67"
    assert masked("+44 7700 900555") == "+44…55"
    assert "1234" not in masked("lid:12345678901234")
