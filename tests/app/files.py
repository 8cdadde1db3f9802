"""Configuration files for relays under test."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from relay.demo.pretended_amocrm import PretendedAmoCRM

Tree = dict[str, Any]

SALES = {"title": "Продажи", "engine": "linked_device"}
SUPPORT = {"title": "Поддержка", "engine": "linked_device"}


def config(server: PretendedAmoCRM, /, **sections: Any) -> Tree:
    """A file's content for a relay of that account; ``sections`` are added or replaced.

    A section that is a mapping is merged key by key, at its first level. Unless ``users`` says
    something else, everyone may write through every channel.
    """
    identity = server.identity
    tree: Tree = {
        "amocrm": {
            "account": server.url,
            "token": identity.token,
            "chats": {
                "channel_id": identity.channel_id,
                "secret": identity.channel_secret,
                "bot_id": identity.bot.id,
                "url": server.url,
            },
        },
        "server": {
            "listen": "127.0.0.1:0",
            "admin_listen": "127.0.0.1:0",
            "public_url": "https://relay.example.com",
        },
        "storage": {"directory": "storage"},
        "log": {"level": "info", "format": "json"},
        "channels": {"sales": SALES},
    }
    for name, section in sections.items():
        known = tree.get(name)
        tree[name] = {**known, **section} if isinstance(known, dict) else section
    tree.setdefault("users", {"everyone_else": {"channels": [*tree["channels"]]}})
    return deepcopy(tree)


def save(path: Path, tree: Tree) -> None:
    """Write the file in place."""
    path.write_text(text(tree), encoding="utf-8")


def text(tree: Tree) -> str:
    """The file's text."""
    written: str = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    return written
