"""Parts of the file: frozen classes whose fields say how their keys are read, and the reading.

A part is a dataclass of a mapping with fixed keys. What a field takes is its annotation: another
part, a mapping or a list, a value or nothing, and at the end of all of them a :class:`Leaf` within
``Annotated``. Reading goes through everything and tells every fault, not the first alone.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from relay.config.tree import Kind, Path, Scalar
from relay.config.values import WrongValueError, expect

C = TypeVar("C")
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


class Missing(enum.Enum):
    """What reading gives for what is wrong."""

    WRONG = enum.auto()


class What(enum.Enum):
    """What is wrong with a value; the member's own value is what was expected."""

    VALUE = "something else"
    MISSING = "a value"
    UNKNOWN = "nothing"
    NO_MAPPING = "a mapping (key: value)"
    NO_LIST = "a list"
    TOO_FEW = "at least one channel"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a path. ``at_key``: the key is; ``message``: what its reader says."""

    path: Path
    what: What
    message: str = ""
    at_key: bool = False


class Walk(Generic[C]):
    """One reading: its faults so far, and what readers need besides the value."""

    def __init__(self, context: C) -> None:
        self.context = context
        self.faults: list[Fault] = []

    def fault(self, path: Path, what: What, message: str = "", *, at_key: bool = False) -> Missing:
        """Note one."""
        self.faults.append(Fault(path, what, message, at_key))
        return Missing.WRONG


class Shape:
    """What may stand at a key. ``secret``: it is shown to nobody."""

    secret = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """What it means, or ``Missing.WRONG`` with the faults noted."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema; parts are named, not described."""
        raise NotImplementedError

    def parts(self) -> Iterator[type[Part]]:
        """The parts that may stand there."""
        yield from ()


@dataclass(frozen=True, slots=True, eq=False)
class Leaf(Shape):
    """A value that one function reads; ``wide``: it is given the reading's context as well."""

    reader: Callable[..., Any]
    form: Mapping[str, Any]
    wide: bool = False
    secret: bool = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """As the function does."""
        try:
            return self.reader(value, walk.context) if self.wide else self.reader(value)
        except WrongValueError as error:
            return walk.fault(path, What.VALUE, str(error))

    def schema(self) -> dict[str, Any]:
        """As it was told."""
        return dict(self.form)


@dataclass(frozen=True, slots=True, eq=False)
class _OrNone(Shape):
    """A value of JSON's that may be ``null``; in the file nothing is."""

    inner: Shape

    @property
    def secret(self) -> bool:  # type: ignore[override]  # it is read only
        return self.inner.secret

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        return None if value is None else self.inner.read(value, path, walk)

    def schema(self) -> dict[str, Any]:
        return self.inner.schema()

    def parts(self) -> Iterator[type[Part]]:
        yield from self.inner.parts()


class EmptyIsNothing:
    """Marks a section, or a list, of which everything may be commented out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Section(Shape):
    part: type[Part]
    may_be_empty: bool = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        if self.may_be_empty and _is_nothing(value):
            value = {}
        return value if isinstance(value, self.part) else _read(self.part, value, path, walk)

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


@dataclass(frozen=True, slots=True, eq=False)
class _List(Shape):
    item: Shape

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        if _is_nothing(value):
            return ()
        if isinstance(value, Scalar):
            return walk.fault(path, What.VALUE, str(expect(value, "a list in brackets [ ]")))
        if not isinstance(value, list | tuple):
            return walk.fault(path, What.NO_LIST)
        read, before = self.item.read, len(walk.faults)
        items = tuple(read(item, (*path, at), walk) for at, item in enumerate(value))
        return items if len(walk.faults) == before else Missing.WRONG

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True, eq=False)
class _Entries(Shape):
    name: Shape
    entry: Shape
    least: int
    may_be_empty: bool = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        if self.may_be_empty and _is_nothing(value):
            value = {}
        if not isinstance(value, dict):
            return walk.fault(path, What.NO_MAPPING)
        before = len(walk.faults)
        if len(value) < self.least:
            walk.fault(path, What.TOO_FEW)
        found = {}
        for word, entry in value.items():
            found[self._name(word, path, walk)] = self.entry.read(entry, (*path, word), walk)
        return MappingProxyType(found) if len(walk.faults) == before else Missing.WRONG

    def _name(self, word: str, path: Path, walk: Walk[Any]) -> Any:
        inner = Walk(walk.context)
        name = self.name.read(word, (*path, word), inner)
        for fault in inner.faults:
            walk.fault(fault.path, fault.what, fault.message, at_key=True)
        return name

    def schema(self) -> dict[str, Any]:
        least = {"minProperties": self.least} if self.least else {}
        return {"type": "object", "additionalProperties": self.entry.schema(), **least}

    def parts(self) -> Iterator[type[Part]]:
        yield from self.entry.parts()


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
    return (None if found is Missing.WRONG else found), walk.faults


def _read(part: type[P], value: Any, path: Path, walk: Walk[Any]) -> P | Missing:
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
    return made(part, said) if len(walk.faults) == before else Missing.WRONG


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
        return _OrNone(_shape(value))
    if origin is tuple:
        return _List(_shape(inner[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _Entries(_shape(inner[0]), _shape(inner[1]), least, may_be_empty)
    if isinstance(hint, type) and issubclass(hint, Part):
        return _Section(hint, may_be_empty)
    raise TypeError(f"no shape for {hint}")


def _is_nothing(value: object) -> bool:
    return isinstance(value, Scalar) and value.kind is Kind.NOTHING
