"""The file as a tree of mappings, lists and scalars that know where they stand.

Mappings and lists are real ``dict`` and ``list``, so that the model takes them as they are; what a
scalar means is decided by the key it belongs to, not by YAML 1.1.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

import yaml

from relay.config.errors import Place, shown


class Kind(enum.StrEnum):
    """What YAML takes a scalar for."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    NOTHING = "nothing"
    DATE = "date"
    OTHER = "other"


_KINDS = {
    "str": Kind.TEXT,
    "int": Kind.NUMBER,
    "float": Kind.NUMBER,
    "bool": Kind.SWITCH,
    "null": Kind.NOTHING,
    "timestamp": Kind.DATE,
    "merge": Kind.TEXT,
    "value": Kind.TEXT,
}
STANDARD = "tag:yaml.org,2002:"
TRUE = frozenset({"true", "yes", "on"})


def kind_of_tag(tag: str) -> Kind | None:
    """The kind a standard tag (``!!str``) gives a scalar, None for any other tag."""
    return Kind.TEXT if tag == "!" else _KINDS.get(tag.removeprefix(STANDARD))


def kind_of_text(text: str) -> Kind:
    """The kind of a scalar without quotes and tag, by the rules of YAML 1.1."""
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return _KINDS.get(tag.removeprefix(STANDARD), Kind.OTHER)
    return Kind.TEXT


@dataclass(slots=True, eq=False, repr=False)
class Scalar:
    """A scalar as it was written. ``fixed`` is its kind if quotes or a tag fixed it.

    Its text may be a secret, so it does not print.
    """

    text: str
    fixed: Kind | None
    line: int
    column: int

    @property
    def kind(self) -> Kind:
        """What YAML takes it for."""
        return self.fixed or kind_of_text(self.text)

    @property
    def place(self) -> Place:
        """Where it begins."""
        return Place(self.line, self.column)


@dataclass(slots=True, eq=False)
class SecretName:
    """``!secret NAME`` at a path."""

    name: str
    place: Place
    path: tuple[str | int, ...]


@dataclass(slots=True, eq=False)
class Broken:
    """Something whose error is known already: nobody complains of it again."""

    place: Place


class MappingTree(dict[str, "Tree"]):
    """A mapping, with the places of its keys. ``size`` counts what is under it, unfolded."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.keys_at: dict[str, Place] = {}
        self.size = 1
        self.depth = 1


class ListTree(list["Tree"]):
    """A list. ``size`` counts what is under it, with every alias unfolded."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.size = 1
        self.depth = 1


Tree = Scalar | SecretName | Broken | MappingTree | ListTree
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a path, its place not yet looked up. ``at_key``: the key is wrong."""

    path: Path
    message: str
    at_key: bool = False
    place: Place | None = field(default=None)


def find(tree: Tree | None, path: Iterable[str | int]) -> Tree | None:
    """What stands at a path, None if nothing does."""
    for step in path:
        if isinstance(tree, MappingTree) and isinstance(step, str):
            tree = tree.get(step)
        elif isinstance(tree, ListTree) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def place_of(tree: Tree, path: Path, *, at_key: bool) -> Place:
    """The place of a value or its key; of the nearest key above, where the path leads nowhere."""
    key_place = value_place = tree.place
    if isinstance(tree, MappingTree):
        key_place = value_place = min(
            tree.keys_at.values(), key=lambda place: (place.line, place.column), default=tree.place
        )
    for step in path:
        below = find(tree, (step,))
        if below is None:
            return key_place
        is_mapping = isinstance(tree, MappingTree) and isinstance(step, str)
        key_place = tree.keys_at[step] if is_mapping else below.place  # type: ignore[union-attr,index]
        value_place = below.place
        tree = below
    return key_place if at_key else value_place


def found(value: object) -> str:
    """What stands there, as a message says it after the word "found"."""
    if isinstance(value, Scalar):
        return _found_scalar(value)
    if isinstance(value, str):
        return f'"{shown(value)}"'
    names = {dict: "a mapping", list: "a list", SecretName: "a !secret", type(None): "nothing"}
    return next(
        (name for kind, name in names.items() if isinstance(value, kind)), shown(str(value))
    )


def found_hidden(value: object) -> str:
    """The same for a secret: what kind of thing stands there, not what it is."""
    if not isinstance(value, Scalar):
        return found(value)
    names = {Kind.NUMBER: "a number", Kind.NOTHING: "nothing", Kind.DATE: "a date"}
    return names.get(value.kind, "a switch" if value.kind is Kind.SWITCH else "text")


def _found_scalar(scalar: Scalar) -> str:
    text = shown(scalar.text)
    match scalar.kind:
        case Kind.NUMBER:
            return f"the number {text}"
        case Kind.DATE:
            return f"the date {text}"
        case Kind.NOTHING:
            return "nothing"
        case Kind.SWITCH if scalar.text not in ("true", "false"):
            meaning = "true" if scalar.text.lower() in TRUE else "false"
            return f"{text}, which YAML reads as {meaning}"
        case Kind.SWITCH:
            return text
    return f'"{text}"'
