"""Where a key of the file stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.config.errors import ConfigErrors
from relay.config.load import load, load_with_places
from tests.config.writing import NOWHERE, SALES, written

TEXT = written(
    SALES,
    """\
settings:
  blacklist:
    - "+79001234567"

    - "+7900555*"
users:
  7:
    channels: [sales]
    name: Анна
""",
)


def line(words: str) -> int:
    return next(n for n, text in enumerate(TEXT.splitlines(), start=1) if words in text)


def test_keys_and_items_have_lines(tmp_path: Path) -> None:
    """A key's line is the one it stands on, an item's too; what is not written has none."""
    path = tmp_path / "relay.yaml"
    path.write_text(TEXT)
    loaded, places = load_with_places(path, NOWHERE)
    assert loaded == load(path, NOWHERE)
    assert places.line(("settings",)) == line("settings:")
    assert places.line(("settings", "blacklist", 1)) == line("+7900555*")
    assert places.line(("users", "7", "name")) == line("Анна")
    assert places.line(("settings", "phone_check")) is None
    assert places.line(("users", "8")) is None


def test_a_bad_file_has_no_places(tmp_path: Path) -> None:
    """It has errors, the same as ever."""
    path = tmp_path / "relay.yaml"
    path.write_text("nonsense: 1")
    with pytest.raises(ConfigErrors) as places:
        load_with_places(path, NOWHERE)
    with pytest.raises(ConfigErrors) as plain:
        load(path, NOWHERE)
    assert str(places.value) == str(plain.value)
