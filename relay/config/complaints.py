"""From the model's complaints to ours: the same mistakes, in an administrator's words."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from relay.config.keys import is_secret, missing_key, unknown_key
from relay.config.tree import MappingTree, Path, Problem, find, found, found_hidden

_KEY_MARK = "[key]"  # pydantic's last step of a path that leads to a key, not to its value
_EXPECTED = {
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "tuple_type": "a list",
    "too_short": "at least one channel",
}


def complaints(error: ValidationError, tree: MappingTree) -> Iterator[Problem]:
    """The problems of a tree that the model refused."""
    for detail in error.errors(include_url=False):
        path, at_key = _path(detail)
        at_key = at_key or detail["type"] in ("missing", "extra_forbidden")
        yield Problem(path, _message(detail, path, tree), at_key=at_key)


def _path(detail: ErrorDetails) -> tuple[Path, bool]:
    """Our path: pydantic adds the engine after a channel's id, and a mark after a key."""
    path: Path = detail["loc"]
    if path[0] == "channels" and len(path) > 2 and path[2] in ("linked_device", "cloud_api"):
        path = (*path[:2], *path[3:])
    if path[-1] == _KEY_MARK:
        return path[:-1], True
    return path, False


def _message(detail: ErrorDetails, path: Path, tree: MappingTree) -> str:
    kind = detail["type"]
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind == "missing":
        return missing_key(path)
    if kind == "extra_forbidden":
        return unknown_key(tree, path)
    value = find(tree, path)
    what = found_hidden(value) if is_secret(path) else found(value)
    if kind == "too_short":
        what = "none"
    return f"found {what}, expected {_EXPECTED.get(kind, 'something else')}"
