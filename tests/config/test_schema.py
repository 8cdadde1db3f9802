"""The JSON Schema for editors: it agrees with what the relay reads."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from relay.config.schema import json_schema

jsonschema = pytest.importorskip("jsonschema")
EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def _words(tree: Any) -> Any:
    """Keys as an editor sees them: text."""
    if isinstance(tree, dict):
        return {str(key): _words(value) for key, value in tree.items()}
    return [_words(item) for item in tree] if isinstance(tree, list) else tree


def _example() -> Any:
    class Loader(yaml.SafeLoader):
        """Reads a !secret as the text it stands for."""

    Loader.add_constructor("!secret", lambda loader, node: f"{node.value}")
    return _words(yaml.load(EXAMPLE.read_text("utf-8"), Loader=Loader))  # noqa: S506 - a SafeLoader


def _accepts(document: Any) -> bool:
    validator = jsonschema.Draft202012Validator(json_schema())
    return bool(validator.is_valid(document))


def test_the_schema_is_one() -> None:
    """The schema obeys the dialect it names, and every property and part is described."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    parts = [schema, *(part for name, part in schema["$defs"].items() if name != "Language")]
    named = [(name, key) for part in parts for name, key in part["properties"].items()]
    assert [name for name, key in named if not key.get("description")] == []


def test_the_example_fits() -> None:
    """An editor finds nothing wrong with the example."""
    errors = jsonschema.Draft202012Validator(json_schema()).iter_errors(_example())
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("colour",), "red"),
        (("amocrm", "chats", "secret"), 5),
        (("amocrm", "oauth"), {}),
        (("channels", "Sales"), {"title": "x", "engine": "linked_device"}),
        (("channels", "default"), {"title": "x", "engine": "linked_device"}),
        (("channels", "sales", "engine"), "linked_devise"),
        (("channels", "sales", "phone"), "8 495 000-00-01"),
        (("channels", "support", "proxy"), "socks5://127.0.0.1:1"),
        (("channels", "sales", "pacing"), {"per_day": 1001}),
        (("channels", "sales", "pacing"), {"per_week": 5}),
        (("channels", "sales", "pacing"), {"typing": "11s"}),
        (("settings", "phone_check"), "yes"),
        (("settings", "blacklist"), ["*"]),
        (("users", "anna"), {"channels": []}),
        (("users", "8124356", "sections"), ["channels"]),
        (("delivery", "keep_delivered"), "30 days"),
        (("storage",), None),
    ],
)
def test_what_does_not_fit(path: tuple[str, ...], value: object) -> None:
    """What the relay refuses at one key, an editor marks too."""
    document = copy.deepcopy(_example())
    here = document
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    assert not _accepts(document)


def test_optional_sections_may_be_empty() -> None:
    """A section of which everything is commented out fits."""
    empty = dict.fromkeys(("log", "delivery", "settings", "users"))
    assert _accepts({**_example(), **empty})


def test_defaults_are_written_as_in_the_file() -> None:
    """Defaults are shown in the file's own notation, and none is shown where there is none."""
    parts = json_schema()["$defs"]
    assert parts["GiveUpAfter"]["properties"]["amocrm"]["default"] == "24h"
    assert parts["Server"]["properties"]["listen"]["default"] == "127.0.0.1:8080"
    assert "default" not in parts["MessageSettings"]["properties"]["default_channel"]
    assert "null" not in str(parts)
