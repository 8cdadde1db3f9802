"""Parts of the file: how their fields are read, and that every fault is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pytest

from relay.config.parts import EmptyIsNothing, OneOf, Part, entries, key, made, read_part
from relay.config.shapes import Fault, Leaf, What
from relay.config.tree import Scalar
from relay.config.values import WrongValueError


def _number(value: object) -> int:
    if isinstance(value, int):
        return value
    raise WrongValueError("expected a number")


def _more(value: object, context: int | None) -> int:
    return _number(value) + (context or 0)


def _word(value: object) -> str:
    if isinstance(value, str) and value.isalpha():
        return value.upper()
    raise WrongValueError("expected a word")


Number = Annotated[int, Leaf(_number, {"type": "integer"})]
More = Annotated[int, Leaf(_more, {"type": "integer"}, wide=True)]
Word = Annotated[str, Leaf(_word, {"type": "string"})]


class Inner(Part):
    """A section."""

    a: Number
    b: Number | None = None


class Other(Part):
    """A section of another kind."""

    c: Word


class Outer(Part):
    """A file."""

    long_ms: Number = key(default=5, name="long", shown="5s")
    inner: Annotated[Inner, EmptyIsNothing] = Inner(a=0)
    either: Annotated[
        Inner | Other, OneOf({"i": Inner, "o": Other}, lambda keys: "o" if "c" in keys else "i")
    ]
    words: tuple[Word, ...] = ()
    by_word: Mapping[Word, Number] = key(default={}, least=1)
    more: More = 0


EITHER = {"a": 1}


def faults_of(value: Any) -> list[tuple[Any, ...]]:
    found, faults = read_part(Outer, value)
    assert (found is None) == bool(faults)
    return [(fault.path, fault.what, fault.at_key) for fault in faults]


def test_what_is_written_is_read_and_the_rest_has_its_default() -> None:
    """By the file's keys, and it is known which of them were said."""
    outer, faults = read_part(Outer, {"long": 7, "either": {"c": "x"}, "words": ["y", "z"]})
    assert faults == []
    assert outer == Outer(long_ms=7, either=Other(c="X"), words=("Y", "Z"))
    assert outer.said == {"long_ms", "either", "words"}
    assert outer.inner.said == frozenset()
    assert made(Inner, {"a": 1}).said == {"a"}


def test_every_fault_is_told() -> None:
    """However deep, and a key that is wrong apart from its value."""
    wrong = {
        "long": "x",
        "inner": {"b": "y", "z": 1},
        "words": ["ok", 5, 6],
        "by_word": {"1": 1, "x": "2"},
        "zzz": 0,
    }
    assert faults_of(wrong) == [
        (("long",), What.VALUE, False),
        (("inner", "a"), What.MISSING, True),
        (("inner", "b"), What.VALUE, False),
        (("inner", "z"), What.UNKNOWN, True),
        (("either",), What.MISSING, True),
        (("words", 1), What.VALUE, False),
        (("words", 2), What.VALUE, False),
        (("by_word", "1"), What.VALUE, True),
        (("by_word", "x"), What.VALUE, False),
        (("zzz",), What.UNKNOWN, True),
    ]


@pytest.mark.parametrize(
    ("wrong", "path", "what"),
    [
        ([], (), What.NO_MAPPING),
        ({"either": 5}, ("either",), What.NO_MAPPING),
        ({"either": {"c": 5}}, ("either", "c"), What.VALUE),
        ({"either": EITHER, "inner": 5}, ("inner",), What.NO_MAPPING),
        ({"either": EITHER, "words": {}}, ("words",), What.NO_LIST),
        ({"either": EITHER, "by_word": []}, ("by_word",), What.NO_MAPPING),
        ({"either": EITHER, "by_word": {}}, ("by_word",), What.TOO_FEW),
    ],
)
def test_what_stands_in_the_wrong_place(wrong: Any, path: tuple[str, ...], what: What) -> None:
    """A section, a list and a mapping are told from each other, and from values."""
    _, faults = read_part(Outer, wrong)
    assert [(fault.path, fault.what) for fault in faults] == [(path, what)]


def test_a_section_may_be_commented_out() -> None:
    """One that may be empty is read as one without any key, so what it needs is missing."""
    nothing = Scalar("", None, 1, 1)
    assert read_part(Outer, {"either": EITHER, "words": nothing})[0] == Outer(either=Inner(a=1))
    assert faults_of({"either": EITHER, "inner": nothing}) == [(("inner", "a"), What.MISSING, True)]
    assert faults_of({"either": nothing}) == [(("either",), What.NO_MAPPING, False)]


def test_a_reader_that_asks_is_given_the_context() -> None:
    """And no other."""
    outer, _ = read_part(Outer, {"either": EITHER, "more": 1}, 41)
    assert outer is not None
    assert outer.more == 42


def test_null_is_nothing_where_nothing_may_be() -> None:
    """JSON has it; what needs a value does not take it."""
    assert read_part(Inner, {"a": 1, "b": None})[0] == Inner(a=1)
    assert read_part(Inner, {"a": None})[1] == [Fault(("a",), What.VALUE, "expected a number")]


def test_what_a_field_is_like_can_be_asked() -> None:
    """Its key, whether it must be there, and the default that is shown."""
    known = entries(Outer)
    assert list(known) == ["long_ms", "inner", "either", "words", "by_word", "more"]
    assert (known["long_ms"].key, known["long_ms"].default) == ("long", "5s")
    assert [name for name, entry in known.items() if entry.needed] == ["either"]


def test_an_annotation_without_a_meaning_is_refused() -> None:
    """At the first reading, not by guessing."""

    class Vague(Part):
        """A part with a bare type."""

        a: int

    with pytest.raises(TypeError, match="no shape"):
        read_part(Vague, {"a": 1})
