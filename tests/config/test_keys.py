"""The keys of the file: one list of them, wherever they are written down."""

from __future__ import annotations

from pathlib import Path

from relay.config.keys import PARTS, SECRETS, is_inside_secret, keys_of
from relay.config.model import SECTIONS, MessageSettings
from relay.config.schema import json_schema

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def test_every_part_of_the_model_has_its_place() -> None:
    """The table of places names every part the model is made of."""
    parts = {part.__name__ for parts in PARTS.values() for part in parts}
    assert parts == {*json_schema()["$defs"], "Config"} - {"Language"}


def test_the_secrets_are_these() -> None:
    """A key that holds a secret is known as such; a new one must be added here on purpose."""
    assert {".".join(path) for path in SECRETS} == {
        "amocrm.token",
        "amocrm.oauth.client_secret",
        "amocrm.integration.secret",
        "amocrm.chats.secret",
        "channels.*.proxy",
        "channels.*.token",
        "channels.*.app_secret",
        "channels.*.verify_token",
    }


def test_a_channel_may_be_called_as_a_secret_is() -> None:
    """Only what lies inside a secret is hidden, not a channel or user whose id looks like one."""
    assert is_inside_secret(("channels", "token", "token", "x"))
    assert is_inside_secret(("amocrm", "token", 0))
    assert not is_inside_secret(("channels", "token", "token"))
    assert not is_inside_secret(("channels", "token", "title"))


def test_sections_are_the_settings_and_users() -> None:
    """``sections`` may name each key of ``settings``, and ``users``."""
    assert (*keys_of(MessageSettings), "users") == SECTIONS


def test_the_example_shows_every_key() -> None:
    """Every key of the model stands in the example, be it as a comment, and is explained."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    written = {line.lstrip("# ").partition(":")[0] for line in lines if ":" in line}
    inline = EXAMPLE.read_text("utf-8")
    keys = {key for parts in PARTS.values() for part in parts for key in keys_of(part)}
    assert {key for key in keys if key not in written and f"{key}: " not in inline} == set()
