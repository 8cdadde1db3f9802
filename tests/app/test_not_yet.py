"""What is said about keys that do not act yet."""

from __future__ import annotations

from pathlib import Path

from relay.app.not_yet import not_yet
from relay.config.load import load
from relay.config.secret import SecretSource

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"

_LEAST = """
amocrm:
  account: https://example.amocrm.ru
  token: t
  chats: {channel_id: 11111111-2222-4333-8444-555555555555, secret: s}
server: {public_url: https://relay.example.com}
storage: {directory: storage}
channels:
  sales: {title: Sales, engine: linked_device}
"""


def sentences(path: Path) -> list[str]:
    source = SecretSource(None, {}, required=False)
    return [sentence.partition(":")[0] for sentence in not_yet(load(path, source).config)]


def test_a_file_that_asks_for_nothing_more_is_met_with_silence(tmp_path: Path) -> None:
    """Defaults are no wishes: nobody is warned of what he did not ask for."""
    path = tmp_path / "config.yaml"
    path.write_text(_LEAST)
    assert sentences(path) == []


def test_every_wish_that_does_not_act_is_named() -> None:
    """Nobody finds out by a lost client that a setting does nothing yet."""
    named = sentences(EXAMPLE)
    assert "channels.support.engine" in named
