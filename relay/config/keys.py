"""Which keys may stand where, and which of them are secrets: read off the model."""

from __future__ import annotations

from typing import Final

from relay.config.channel import CloudApi, LinkedDevice, Pacing
from relay.config.errors import nearest
from relay.config.meanings import meanings
from relay.config.model import (
    AmoCrm,
    Chats,
    Config,
    Delivery,
    GiveUpAfter,
    Integration,
    Log,
    Media,
    MessageSettings,
    OAuth,
    Server,
    Storage,
    User,
)
from relay.config.parts import Part, entries
from relay.config.tree import MappingTree, Path, Scalar, Tree, find
from relay.config.values import either

PARTS: Final[dict[tuple[str, ...], tuple[type[Part], ...]]] = {
    (): (Config,),
    ("amocrm",): (AmoCrm,),
    ("amocrm", "oauth"): (OAuth,),
    ("amocrm", "integration"): (Integration,),
    ("amocrm", "chats"): (Chats,),
    ("server",): (Server,),
    ("storage",): (Storage,),
    ("log",): (Log,),
    ("channels", "*"): (LinkedDevice, CloudApi),
    ("channels", "*", "pacing"): (Pacing,),
    ("delivery",): (Delivery,),
    ("delivery", "give_up_after"): (GiveUpAfter,),
    ("media",): (Media,),
    ("settings",): (MessageSettings,),
    ("users", "*"): (User,),
}


def keys_of(part: type[Part]) -> tuple[str, ...]:
    """A part's keys as the file writes them."""
    return tuple(entry.key for entry in entries(part).values())


def _general(path: Path) -> tuple[str, ...]:
    """A path with a star for a channel's or user's id."""
    steps = [str(step) for step in path]
    if len(steps) > 1 and steps[0] in ("channels", "users"):
        steps[1] = "*"
    return tuple(steps)


SECRETS: Final = frozenset(
    (*path, entry.key)
    for path, parts in PARTS.items()
    for part in parts
    for entry in entries(part).values()
    if entry.shape.secret
)
"""The paths of all secrets, with a star for a channel's id."""


def is_secret(path: Path) -> bool:
    """Whether what stands at a path is a secret."""
    return _general(path) in SECRETS


def is_inside_secret(path: Path) -> bool:
    """Whether a path leads into a secret that was written as a mapping or a list."""
    general = _general(path)
    return any(general[:length] in SECRETS for length in range(len(general)))


def missing_key(path: Path) -> str:
    """What is said of a key that is not there: what it is."""
    key = str(path[-1])
    for part in PARTS.get(_general(path[:-1]), ()):
        for entry in entries(part).values():
            if key == entry.key:
                said = meanings(part)[entry.name].removesuffix(".")
                return f"missing: {said[0].lower()}{said[1:]}"
    return "missing"


def unknown_key(tree: Tree, path: Path) -> str:
    """What is said of a key that may not stand where it stands."""
    *above, last = path
    key = str(last)
    parts = PARTS.get(_general(tuple(above)), ())
    here: Tree | None = find(tree, above)
    if len(parts) > 1 and isinstance(here, MappingTree):
        return _unknown_channel_key(key, here)
    known = [name for part in parts for name in keys_of(part)]
    return _unknown(key, known)


def _unknown_channel_key(key: str, channel: MappingTree) -> str:
    engine = channel.get("engine")
    name = engine.text if isinstance(engine, Scalar) else ""
    own, other = (CloudApi, LinkedDevice) if name == "cloud_api" else (LinkedDevice, CloudApi)
    if name and key in keys_of(other):
        other_name = "linked_device" if other is LinkedDevice else "cloud_api"
        return f"a key of engine {other_name}, but this channel's engine is {name}"
    return _unknown(key, list(keys_of(own)))


def _unknown(key: str, known: list[str]) -> str:
    if near := nearest(key, known):
        return f"unknown key (nearest known key: {near})"
    homes = dict.fromkeys(
        ".".join(path) or "the top level"
        for path, parts in PARTS.items()
        for part in parts
        if key in keys_of(part)
    )
    if homes:
        return f"unknown key here; it belongs to {either(tuple(homes))}"
    return f"unknown key; known here: {', '.join(known)}"
