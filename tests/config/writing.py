"""Texts of configuration files for tests, and their loading."""

from __future__ import annotations

from pathlib import Path

from relay.config.load import Loaded, parse
from relay.config.model import Config
from relay.config.secret import SecretSource

NOWHERE = SecretSource.of({})

AMOCRM = """\
amocrm:
  account: https://example.amocrm.ru
  token: "a-long-lived-token"
  chats:
    channel_id: 11111111-2222-4333-8444-555555555555
    secret: "a-chats-secret"
    bot_id: 55555555-0000-4000-8000-000000000001
"""
SERVER = """\
server:
  public_url: https://relay.example.com
storage:
  directory: data
"""
SALES = "  sales: {title: Sales, engine: linked_device}\n"
SUPPORT = """\
  support:
    title: Support
    engine: cloud_api
    phone_number_id: "900111222333"
    token: "a-support-token"
    app_secret: "a-support-app-secret"
    verify_token: "a-support-verify-token"
"""


def written(channels: str = SALES, more: str = "", amocrm: str = AMOCRM) -> str:
    """A whole file: these channels, and these sections after them."""
    return f"{amocrm}{SERVER}channels:\n{channels}{more}"


def loaded(
    text: str, secrets: SecretSource = NOWHERE, path: Path = Path("/etc/relay/a.yaml")
) -> Loaded:
    """What the relay makes of a text."""
    return parse(text, path, secrets)


def config(channels: str = SALES, more: str = "", amocrm: str = AMOCRM) -> Config:
    """The configuration of such a file."""
    return loaded(written(channels, more, amocrm)).config
