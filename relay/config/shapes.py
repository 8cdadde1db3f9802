"""What may stand at a key of the file: values, lists, mappings, and how each is read.

Reading goes through everything and notes every fault, not the first alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from relay.config.tree import Kind, Path, Scalar
from relay.config.values import WrongValueError, expect

C = TypeVar("C")


class Verdict(enum.Enum):
    """What reading gives for what is wrong."""

    WRONG = enum.auto()


class What(enum.Enum):
    """What is wrong with a value; the member's own value is what was expected."""

    VALUE = "something else"
    MISSING = "a value"
    UNKNOWN = "nothing"
    NO_MAPPING = "a mapping (key: value)"
    NO_LIST = "a list"
    TOO_FEW = "more entries"


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

    def fault(self, path: Path, what: What, message: str = "", *, at_key: bool = False) -> Verdict:
        """Note one."""
        self.faults.append(Fault(path, what, message, at_key))
        return Verdict.WRONG


class Shape:
    """What may stand at a key. ``secret``: it is shown to nobody."""

    secret = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """What it means, or ``Verdict.WRONG`` with the faults noted."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema; parts are named, not described."""
        raise NotImplementedError

    def parts(self) -> Iterator[type]:
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
class OrNone(Shape):
    """A value of JSON's that may be ``null``; in the file nothing is."""

    inner: Shape

    @property
    def secret(self) -> bool:  # type: ignore[override]  # it is read only
        """As the value."""
        return self.inner.secret

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """As the value, if there is one."""
        return None if value is None else self.inner.read(value, path, walk)

    def schema(self) -> dict[str, Any]:
        """As the value: an editor offers no ``null``."""
        return self.inner.schema()

    def parts(self) -> Iterator[type]:
        """Those of the value."""
        yield from self.inner.parts()


@dataclass(frozen=True, slots=True, eq=False)
class Items(Shape):
    """A list of as many as one likes; it may be commented out."""

    item: Shape

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """All of them, as a tuple."""
        if is_nothing(value):
            return ()
        if isinstance(value, Scalar):
            return walk.fault(path, What.VALUE, str(expect(value, "a list in brackets [ ]")))
        if not isinstance(value, list | tuple):
            return walk.fault(path, What.NO_LIST)
        read, before = self.item.read, len(walk.faults)
        items = tuple(read(item, (*path, at), walk) for at, item in enumerate(value))
        return items if len(walk.faults) == before else Verdict.WRONG

    def schema(self) -> dict[str, Any]:
        """A list of those."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True, eq=False)
class Entries(Shape):
    """A mapping with keys of the administrator's own, ``least`` of them or more."""

    name: Shape
    entry: Shape
    least: int
    may_be_empty: bool = False

    def read(self, value: Any, path: Path, walk: Walk[Any]) -> Any:
        """All of them, as a mapping that cannot be changed."""
        if self.may_be_empty and is_nothing(value):
            value = {}
        if not isinstance(value, dict):
            return walk.fault(path, What.NO_MAPPING)
        before = len(walk.faults)
        if len(value) < self.least:
            walk.fault(path, What.TOO_FEW)
        found = {}
        for word, entry in value.items():
            found[self._name(word, path, walk)] = self.entry.read(entry, (*path, word), walk)
        return MappingProxyType(found) if len(walk.faults) == before else Verdict.WRONG

    def _name(self, word: str, path: Path, walk: Walk[Any]) -> Any:
        inner = Walk(walk.context)
        name = self.name.read(word, (*path, word), inner)
        for fault in inner.faults:
            walk.fault(fault.path, fault.what, fault.message, at_key=True)
        return name

    def schema(self) -> dict[str, Any]:
        """A mapping of those; what its keys may be is said elsewhere."""
        least = {"minProperties": self.least} if self.least else {}
        return {"type": "object", "additionalProperties": self.entry.schema(), **least}

    def parts(self) -> Iterator[type]:
        """Those of an entry."""
        yield from self.entry.parts()


def is_nothing(value: object) -> bool:
    """Whether the file has a key without anything behind it."""
    return isinstance(value, Scalar) and value.kind is Kind.NOTHING
