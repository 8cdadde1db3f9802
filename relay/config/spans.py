"""Where everything of a file stands, to the character: for changing a value and nothing else.

The tree of :mod:`relay.config.reader` says what a file means; this one says where it is written.
It is made only of files that were read without mistakes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

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
    items: list[Node] = field(default_factory=list)
    values: list[Node] = field(default_factory=list)

    def find(self, key: str) -> int | None:
        """The place of a key in a mapping."""
        for at, node in enumerate(self.items):
            if node.form is Form.SCALAR and node.text == key:
                return at
        return None

    def all(self) -> Iterator[Node]:
        """This node and everything under it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.values
            waiting += node.items


def nodes(text: str) -> Node:
    """The file's root.

    Raises:
        UnreadableError: it is not YAML.
    """
    stream = events(text)
    next(stream), next(stream)  # the stream, the document
    root = _node(next(stream), stream, text)
    for _ in stream:
        pass
    return root


def _node(event: Any, stream: Iterator[Any], text: str) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    match event:
        case yaml.AliasEvent():
            return Node(Form.ALIAS, start, end, event.anchor or "")
        case yaml.ScalarEvent():
            whole = len(text[start:end].rstrip())  # a block's end is where the next thing begins
            return Node(Form.SCALAR, start, start + whole, event.value, event.anchor)
        case yaml.SequenceStartEvent():
            flow = bool(event.flow_style)
            node = Node(Form.LIST, start, end, anchor=event.anchor, flow=flow)
            while not isinstance(after := next(stream), yaml.SequenceEndEvent):
                node.items.append(_node(after, stream, text))
        case _:
            node = Node(Form.MAPPING, start, end, anchor=event.anchor, flow=bool(event.flow_style))
            while not isinstance(after := next(stream), yaml.MappingEndEvent):
                node.items.append(_node(after, stream, text))
                node.values.append(_node(next(stream), stream, text))
    last = (node.values or node.items or [node])[-1]
    node.end = after.end_mark.index if node.flow else last.end
    return node
