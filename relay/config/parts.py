"""Parts of the file: frozen classes whose fields say how their keys are read, and the reading.

A part is a dataclass of a mapping with fixed keys. What a field takes is its annotation: another
part, a mapping or a list, a value or nothing, and at the end of all of them a
:class:`~relay.config.shapes.Leaf` within ``Annotated``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import (
    Annotated,
    Any,
    Final,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from relay.config.shapes import (
    Entries,
    Fault,
    Items,
    OrNone,
    Shape,
    Verdict,
    Walk,
    What,
    is_nothing,
)
from relay.config.tree import Path

P = TypeVar("P", bound="Part")


def key(
    *, default: Any = MISSING, name: str | None = None, shown: str | None = None, least: int = 0
) -> Any:
    """A field that is not simply what it is called.

    ``name`` is its key in the file, ``shown`` its default as the file writes it, ``least`` how many
    entries a mapping has at least.
    """
    more = {"name": name, "shown": shown, "least": least}
    if isinstance(default, Mapping):  # which a dataclass takes for one that may change
        return field(default_factory=lambda: default, metadata=more)
    return field(default=default, metadata=more)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(key,))
class Part:
    """A mapping of the file with fixed keys."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dataclass(frozen=True, kw_only=True)(cls)

    @property
    def said(self) -> frozenset[str]:
        """The fields that were written, rather than left at their defaults."""
        said: frozenset[str] = self.__dict__.get("_said", frozenset())
        return said


def made(part: type[P], values: Mapping[str, Any]) -> P:
    """A part in which these fields, and no others, are said."""
    make: Callable[..., P] = part
    new = make(**values)
    object.__setattr__(new, "_said", frozenset(values))
    return new


class EmptyIsNothing:
    """Marks a section, or a list, of which everything may be commented out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Section(Shape):
    part: type[Part]
    may_be_empty: bool = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        if self.may_be_empty and is_nothing(value):
            value = {}
        return _read(self.part, value, path, walk)

    def schema(self) -> dict[str, Any]:
        return {"$ref": f"#/$defs/{self.part.__name__}"}

    def parts(self) -> Iterator[type[Part]]:
        yield self.part


@dataclass(frozen=True, slots=True, eq=False)
class OneOf(Shape):
    """A section of one of several kinds; ``which`` tells by its keys which one is meant."""

    kinds: Mapping[str, type[Part]]
    which: Callable[[Mapping[str, Any]], str]

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """As the kind that is meant."""
        if not isinstance(value, dict):
            return walk.fault(path, What.NO_MAPPING)
        return _read(self.kinds[self.which(value)], value, path, walk)

    def schema(self) -> dict[str, Any]:
        """Any of them."""
        return {"oneOf": [{"$ref": f"#/$defs/{part.__name__}"} for part in self.parts()]}

    def parts(self) -> Iterator[type[Part]]:
        """All of them."""
        yield from self.kinds.values()


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a part: its key in the file, what may stand there, and whether it must.

    ``default`` is shown in the JSON Schema; None: nothing is.
    """

    name: str
    key: str
    shape: Shape
    needed: bool
    default: Any


_ENTRIES: Final[dict[type[Part], Mapping[str, Entry]]] = {}


def entries(part: type[Part]) -> Mapping[str, Entry]:
    """The fields of a part by their names, in order."""
    known = _ENTRIES.get(part)
    if known is None:
        hints = get_type_hints(part, include_extras=True)
        declared: tuple[Field[Any], ...] = fields(part)  # type: ignore[arg-type]  # all of them are
        known = {each.name: _entry(each, hints[each.name]) for each in declared}
        _ENTRIES[part] = known
    return known


def _entry(each: Field[Any], hint: Any) -> Entry:
    bare = each.default is MISSING
    needed = bare and each.default_factory is MISSING
    shown = each.metadata.get("shown") or (None if bare else each.default)
    least = each.metadata.get("least", 0)
    name = each.metadata.get("name") or each.name
    return Entry(each.name, name, _shape(hint, least), needed, shown)


def read_part(part: type[P], value: Any, context: Any = None) -> tuple[P | None, list[Fault]]:
    """The part that a mapping of the file means, or None and everything that is wrong with it."""
    walk = Walk(context)
    found = _read(part, value, (), walk)
    return (None if found is Verdict.WRONG else found), walk.faults


def _read(part: type[P], value: Any, path: Path, walk: Walk[Any]) -> P | Verdict:
    if not isinstance(value, dict):
        return walk.fault(path, What.NO_MAPPING)
    known, before, said = entries(part), len(walk.faults), dict[str, Any]()
    for name, entry in known.items():
        if entry.key in value:
            said[name] = entry.shape.read(value[entry.key], (*path, entry.key), walk)
        elif entry.needed:
            walk.fault((*path, entry.key), What.MISSING, at_key=True)
    keys = {entry.key for entry in known.values()}
    for word in value:
        if word not in keys:
            walk.fault((*path, word), What.UNKNOWN, at_key=True)
    return made(part, said) if len(walk.faults) == before else Verdict.WRONG


def _shape(hint: Any, least: int = 0, *, may_be_empty: bool = False) -> Shape:
    """What an annotation takes."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        marks = inner[1:]
        told = [mark for mark in marks if isinstance(mark, Shape)]
        if told:
            return told[-1]
        return _shape(inner[0], least, may_be_empty=EmptyIsNothing in marks)
    if origin in (Union, types.UnionType):
        [value] = [each for each in inner if each is not type(None)]
        return OrNone(_shape(value))
    if origin is tuple:
        return Items(_shape(inner[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Entries(_shape(inner[0]), _shape(inner[1]), least, may_be_empty)
    if isinstance(hint, type) and issubclass(hint, Part):
        return _Section(hint, may_be_empty)
    raise TypeError(f"no shape for {hint}")
