"""Plain classes out of JSON: what was written and nothing else."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import pytest

from relay.delivery.forms import read_form


class Colour(enum.StrEnum):
    RED = "red"


class Size(enum.IntEnum):
    BIG = 3


@dataclass(frozen=True)
class Thing:
    name: str
    count: int = 0
    weight: float = 0.0
    new: bool = False
    colour: Colour | None = None
    size: Size = Size.BIG
    parts: tuple[str, ...] = ()


def test_what_was_written_is_read() -> None:
    """Members by their values, lists as tuples, and a key of a later release is overlooked."""
    written = (
        '{"name": "x", "weight": 2, "new": true, "colour": "red", "parts": ["a"], "later": {}}'
    )
    assert read_form(Thing, written) == Thing("x", 0, 2, True, Colour.RED, Size.BIG, ("a",))


def test_a_number_beyond_64_bits_stays_what_it_is() -> None:
    """It is not rounded."""
    assert read_form(Thing, f'{{"name": "x", "count": {2**70}}}').count == 2**70


@pytest.mark.parametrize(
    "written",
    [
        "",
        "{",
        "[]",
        "5",
        "{}",
        '{"name": 5}',
        '{"name": null}',
        '{"name": "x", "count": "5"}',
        '{"name": "x", "count": 5.0}',
        '{"name": "x", "count": true}',
        '{"name": "x", "weight": "5"}',
        '{"name": "x", "new": 1}',
        '{"name": "x", "colour": "blue"}',
        '{"name": "x", "size": 4}',
        b"\xff",
    ],
)
def test_nothing_is_made_fit(written: str | bytes) -> None:
    """Anything else is refused, as a value that is none."""
    with pytest.raises(ValueError, match=r".+"):
        read_form(Thing, written)
