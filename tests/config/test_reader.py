"""Reading YAML: bounds on hostile files, and places."""

from __future__ import annotations

import pytest

from relay.config.errors import Place
from relay.config.reader import DEEPEST, read
from relay.config.syntax import UnreadableError, decode
from relay.config.tree import ListTree, MappingTree, Scalar, find, place_of


def _stopped_by(text: str) -> str:
    tree, problems = read(text)
    assert tree is None
    return problems[-1].message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_endless_nesting_ends(opening: str) -> None:
    """A hundred thousand brackets end in an error, not in the end of the process."""
    assert "nesting" in _stopped_by("a: \n  " + opening * 100_000)


def test_nesting_is_counted_through_aliases() -> None:
    """Aliases inside aliases nest as deeply as what they stand for."""
    chain = "a0: &a0 [x]\n" + "".join(
        f"a{step}: &a{step} [*a{step - 1}]\n" for step in range(1, DEEPEST + 1)
    )
    assert "levels of nesting" in _stopped_by(chain)


def test_a_billion_laughs_are_not_laughed() -> None:
    """Aliases that would repeat a million values stop the reading before they do."""
    bomb = "a0: &a0 {" + ", ".join(f"k{index}: x" for index in range(10)) + "}\n"
    bomb += "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
    )
    assert "repeat more than" in _stopped_by(bomb)


def test_merging_is_counted_too() -> None:
    """A large mapping merged very often stops the reading."""
    large = "a: &a {" + ", ".join(f"k{index}: x" for index in range(2000)) + "}\n"
    assert "repeat more than" in _stopped_by(large + "b:\n" + "  - {<<: *a}\n" * 1000)


def test_places_count_from_one_in_characters() -> None:
    """A place is a line and a column from one; a letter of two bytes is one column."""
    tree, problems = read("а: 1\nключ: {б: [x, значение]}\n")
    assert isinstance(tree, MappingTree)
    assert not problems
    assert place_of(tree, ("ключ", "б"), at_key=True).column == 8
    place = place_of(tree, ("ключ", "б", 1), at_key=False)
    assert (place.line, place.column) == (2, 15)
    missing = place_of(tree, ("ключ", "в"), at_key=True)
    assert (missing.line, missing.column) == (2, 1)


def test_an_alias_is_the_very_thing() -> None:
    """An alias stands for all its anchor holds, and its places are the anchor's."""
    tree, _ = read("a: &x [1, 2]\nb: *x\n")
    assert isinstance(tree, MappingTree)
    assert isinstance(tree["b"], ListTree)
    item = find(tree, ("b", 1))
    assert isinstance(item, Scalar)
    assert (item.text, item.line) == ("2", 1)


def test_a_scalar_does_not_print_its_text() -> None:
    """A scalar may be a secret, so its repr does not show it."""
    assert "hunter2" not in repr(Scalar("hunter2", None, 1, 1))


@pytest.mark.parametrize("before", [0, 256 * 1024 - 1, 256 * 1024, 700_000])
def test_a_forbidden_character_is_found_wherever_it_stands(before: int) -> None:
    """Large files are searched piece by piece, and nothing falls between two pieces."""
    with pytest.raises(UnreadableError) as caught:
        decode(b"#" * before + b"\x07" + b"#" * 300_000)
    assert caught.value.problem.message == "found the character U+0007, which YAML forbids"
    assert caught.value.problem.place == Place(1, before + 1)
