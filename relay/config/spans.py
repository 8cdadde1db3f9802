"""Where everything of a file stands, to the character: for changing a value and nothing else.

The tree of :mod:`relay.config.reader` says what a file means; this one says where it is written.
It is made only of files that were read without mistakes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from relay.config.syntax import events


class Form(enum.Enum):
    """How a node is written."""

    SCALAR = enum.auto()
    ALIAS = enum.auto()
    LIST = enum.auto()
    MAPPING = enum.auto()


@dataclass(slots=True, eq=False)
class Node:
    """A node of the file: its characters are ``text[start:end]``.

    ``text`` is what a scalar says, or the anchor an alias stands for; ``flow``: in brackets.
    ``items`` are a list's nodes; a mapping has its keys there, and their values in ``values``.
    """

    form: Form
    start: int
    end: int
    text: str = ""
    anchor: str | None = None
    flow: bool = False
    items: Sequence[Node] = ()
    values: Sequence[Node] = ()

    def find(self, key: str) -> int | None:
        """The place of a key in a mapping."""
        for at, node in enumerate(self.items):
            if node.form is Form.SCALAR and node.text == key:
                return at
        return None


@dataclass(slots=True)
class _Reading:
    text: str
    stream: Iterator[Any]
    marked: list[Node]


def nodes(text: str) -> tuple[Node, list[Node]]:
    """The file's root, and all below it that are aliases or have an anchor.

    Raises:
        UnreadableError: it is not YAML.
    """
    stream = events(text)
    next(stream), next(stream)  # the stream, the document
    reading = _Reading(text, stream, [])
    root = _node(reading, next(stream))
    for _ in stream:
        pass
    return root, reading.marked


def _node(reading: _Reading, event: Any) -> Node:
    made = _made(reading, event)
    if made.anchor is not None or made.form is Form.ALIAS:
        reading.marked.append(made)
    return made


def _made(reading: _Reading, event: Any) -> Node:
    text, stream = reading.text, reading.stream
    start, end = event.start_mark.index, event.end_mark.index
    match event:
        case yaml.ScalarEvent():
            return _scalar(event, text)
        case yaml.AliasEvent():
            return Node(Form.ALIAS, start, end, event.anchor or "")
        case yaml.SequenceStartEvent():
            form, items, values = Form.LIST, list[Node](), list[Node]()
            while not isinstance(after := next(stream), yaml.SequenceEndEvent):
                plain = type(after) is yaml.ScalarEvent and after.anchor is None
                items.append(_scalar(after, text) if plain else _node(reading, after))
        case _:
            form, items, values = Form.MAPPING, [], []
            while not isinstance(after := next(stream), yaml.MappingEndEvent):
                items.append(_node(reading, after))
                values.append(_node(reading, next(stream)))
    flow = bool(event.flow_style)
    if flow:
        end = after.end_mark.index
    elif items:
        end = (values or items)[-1].end
    return Node(form, start, end, "", event.anchor, flow, items, values)


def _scalar(event: Any, text: str) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    if event.style not in _QUOTED:  # a block's end is where the next thing begins
        end = start + len(text[start:end].rstrip())
    return Node(Form.SCALAR, start, end, event.value, event.anchor)


_QUOTED: Final = frozenset({"'", '"'})
