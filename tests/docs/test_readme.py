"""The README names everything an administrator meets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.cli.main import main
from relay.config.schema import json_schema

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text()
_EVENT = re.compile(r"\b_?log\.(?:info|warning|error|exception|critical)\(\s*\"(\w+)\"")


def section(title: str) -> str:
    """The part of the README under that heading."""
    found = re.search(
        rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", _README, re.MULTILINE | re.DOTALL
    )
    assert found, title
    return found[1]


def keys(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
    """The last word of every key of the file."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from keys(root["$defs"][name], root)
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from keys(inner, root)
    nested = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
    nested += [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]
    for inner in nested:
        if isinstance(inner, dict):
            yield from keys(inner, root)


def test_every_key_of_the_file_stands_in_its_table() -> None:
    """An administrator finds each key that the schema knows."""
    schema = json_schema()
    words = set(keys(schema, schema))
    assert {"bot_id", "give_up_after", "import_history", "sections"} <= words
    table = section("The file")
    missing = [word for word in sorted(words) if not re.search(rf"[`.]{word}\b", table)]
    assert missing == []


def events() -> list[str]:
    """Every event that the product logs at info or above."""
    sources = [
        p for p in (_ROOT / "relay").rglob("*.py") if "demo" not in p.relative_to(_ROOT).parts
    ]
    found = {event for path in sources for event in _EVENT.findall(path.read_text())}
    assert "config_rejected" in found
    return sorted(found)


@pytest.mark.parametrize("event", events())
def test_every_log_event_is_explained(event: str) -> None:
    """What stands in the log stands in the README, with what to do."""
    assert f"`{event}`" in section("The log")


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_listed(command: str) -> None:
    """The table of commands is complete."""
    assert f"`relay {command}" in section("Commands")


def test_the_first_two_lines_of_code_are_the_two_commands() -> None:
    """One starts the demonstration, one runs the check; both set everything up themselves."""
    first, second = re.findall(r"```sh\n(.*?)\n```", _README, re.DOTALL)[:2]
    assert "\n" not in first + second
    assert first.endswith(".venv/bin/relay demo")
    assert second.endswith(".venv/bin/python -m tests")
    assert all(
        line.startswith("python3 -m venv --without-pip .venv && ") for line in (first, second)
    )
