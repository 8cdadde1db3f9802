"""Plain values: what is a frozen dataclass elsewhere."""

from __future__ import annotations

from dataclasses import field, replace

import pytest

from relay.domain.values import value


@value
class Point:
    x: int
    seen: tuple[int, ...] = field(default=(), compare=False)


def test_a_value_is_what_its_fields_are() -> None:
    """Compared and hashed by them, and nothing else can be put into it."""
    assert Point(1) == replace(Point(2, (3,)), x=1)
    assert {Point(1), Point(1, (9,)), Point(2)} == {Point(1), Point(2)}
    with pytest.raises(AttributeError):
        Point(1).y = 2  # type: ignore[attr-defined]


def test_mypy_lets_nobody_change_one() -> None:
    """If it did, the comment here would be of no use, which is an error to it."""
    point = Point(1)
    point.x = 2  # type: ignore[misc]
    assert point.x == 2
