"""No text whatever makes the reading fail otherwise than by errors of the file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relay.config.errors import ConfigErrors
from relay.config.load import load, parse
from relay.config.secret import SecretSource

EXAMPLE = (Path(__file__).parents[2] / "config.example.yaml").read_text("utf-8")
LINES = [line for line in EXAMPLE.splitlines() if line and not line.lstrip().startswith("#")]
NAMED = Path("config.yaml")
SECRET = "hunter2-hunter2"
SOURCE = SecretSource.of(
    {
        f"RELAY_{name}": SECRET
        for name in (
            "AMOCRM_TOKEN",
            "AMOCRM_CHATS_SECRET",
            "AMOCRM_INTEGRATION_SECRET",
            "SUPPORT_TOKEN",
            "SUPPORT_APP_SECRET",
            "SUPPORT_VERIFY_TOKEN",
        )
    }
)
PIECES = st.sampled_from(
    [
        ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<: ", "!secret ",
        "!!str ", "!x ", "'", '"', "#", "|", ">", "\t", "?", "? ", "---\n", "...\n", "%YAML 1.1\n",
        "~", "null", "0x1F", "0o7", "1:30", "1e9", ".inf", "2001-01-01", "\\u0041", "\u2028",
        "\x85", "\ufeff", "я", "=", "\r", "channels", "users", "settings", "amocrm", "token",
        "sales", "default", "engine", "off", "+79001234567", "cloud_api", "linked_device",
        "everyone_else", "blacklist",
    ]
)  # fmt: skip


def _said(text: str) -> list[str]:
    """All that the reading of a text says: its errors, or what it made of it and its warnings."""
    try:
        result = parse(text, NAMED, SOURCE)
    except ConfigErrors as errors:
        return [str(error) for error in errors.errors]
    return [repr(result.config), *map(str, result.warnings)]


def _never_fails(text: str) -> None:
    said = _said(text)
    assert said
    assert all(SECRET not in line and len(line.splitlines()) == 1 for line in said)
    assert all(re.match(r"config\.yaml:[1-9]\d*:[1-9]\d*: |Config\(", line) for line in said)
    assert "\n".join(said).encode()


@given(st.lists(PIECES, max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
@example("<<: [*a]")
@example("a: &a {b: *a}")
@example("channels: {a: {<<: {engine: cloud_api}}}")
def test_pieces_of_yaml(text: str) -> None:
    """Any heap of YAML's own signs is read or refused with places."""
    _never_fails(text)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text(text: str) -> None:
    """Any text is read or refused with places."""
    _never_fails(text)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(LINES) - 1),
            st.sampled_from(["drop", "repeat", "indent", "outdent", "insert", "cut", "value"]),
            st.one_of(PIECES, st.text(max_size=8)),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=300, deadline=None)
def test_the_example_with_mistakes(edits: list[tuple[int, str, str]]) -> None:
    """The example, edited as carelessly as can be, is read or refused; no secret shows."""
    lines = list(LINES)
    for index, edit, piece in edits:
        line = lines[index]
        lines[index] = {
            "drop": "",
            "repeat": f"{line}\n{line}",
            "indent": f" {line}",
            "outdent": line.removeprefix("  "),
            "insert": f"{line[: len(line) // 2]}{piece}{line[len(line) // 2 :]}",
            "cut": line[: len(line) // 2],
            "value": f"{line.partition(':')[0]}: {piece}",
        }[edit]
    _never_fails("\n".join(lines))


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_bytes(content: bytes) -> None:
    """Eighty bytes are never a whole configuration: they are refused, and never otherwise."""
    path = Path(f"/proc/self/fd/{_file_with(content)}")
    with pytest.raises(ConfigErrors):
        load(path, SOURCE)
    os.close(int(path.name))


def _file_with(content: bytes) -> int:
    """A file in memory, so that hundreds of examples touch no disk."""
    descriptor = os.memfd_create("config")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
