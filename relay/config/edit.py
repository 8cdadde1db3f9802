"""Changes values of the file and leaves every other character of it as it was.

A value is found by its place and replaced in the text: comments, order, quotes, anchors, tags and
spaces are never written anew, so they cannot be lost. Whatever comes out is to be read and compared
with what was wanted before it is kept (:mod:`relay.config.editor`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from relay.config import emit, lists
from relay.config.emit import Value
from relay.config.spans import Form, Node, nodes
from relay.config.splices import EditRefusedError, Sheet

__all__ = ["EditRefusedError", "Put", "edited"]


@dataclass(frozen=True, slots=True)
class Put:
    """Something below a section: ``path`` is section and key; ``value`` None takes it out.

    ``only``: of a mapping, just these of its keys have changed.
    """

    path: tuple[str, str]
    value: Value | None
    only: frozenset[str] | None = None


def edited(text: str, puts: Sequence[Put]) -> str:
    """The text with those changes.

    Raises:
        EditRefusedError: something stands in a form in which it cannot be changed by itself.
        UnreadableError: the text is not YAML.
    """
    crlf = "\r\n" in text[: text.find("\n") + 1]
    sheet = Sheet(text, *nodes(text), "\r\n" if crlf else "\n")
    for section, group in groupby(sorted(puts, key=_section), key=_section):
        _edit_section(sheet, section, list(group))
    return sheet.result()


def _section(put: Put) -> str:
    return put.path[0]


def _edit_section(sheet: Sheet, section: str, puts: Sequence[Put]) -> None:
    at = sheet.root.find(section)
    node = None if at is None else sheet.root.values[at]
    if node is not None and node.form is Form.MAPPING:
        edit_mapping(sheet, node, {put.path[1]: put for put in puts})
        return
    if node is not None and (node.form is not Form.SCALAR or node.anchor is not None):
        raise EditRefusedError(f"{section} is written as an alias")
    wanted: dict[str, Value] = {p.path[1]: p.value for p in puts if p.value is not None}
    if not wanted:
        return
    if at is None:
        _add(sheet, sheet.root, {section: wanted})
    elif sheet.root.flow or (node is not None and node.start != node.end):
        sheet.replace(sheet.root.values[at], emit.flow(wanted))
    else:  # a section of which everything is commented out
        column = sheet.column(sheet.root.items[at])
        lines = [emit.pair(name, value, column + emit.STEP) for name, value in wanted.items()]
        sheet.insert_lines(sheet.line_end(sheet.root.items[at].end), lines)


def edit_mapping(sheet: Sheet, mapping: Node, puts: Mapping[str, Put]) -> None:
    """Change, add and take out keys of a mapping."""
    gone, new = [], dict[str, Value]()
    for name, put in puts.items():
        at = mapping.find(name)
        if at is None:
            if put.value is not None:
                new[name] = put.value
        elif put.value is None:
            gone.append(at)
        else:
            _assign(sheet, mapping, at, put)
    if mapping.flow:
        ends = list(zip(mapping.items, mapping.values, strict=True))
        spans = [(key.start, max(key.end, value.end)) for key, value in ends]
        added = [f"{emit.key(name)}: {emit.flow(value)}" for name, value in new.items()]
        sheet.edit_flow(mapping, spans, gone, added)
        return
    for at in gone:
        sheet.delete_lines(mapping.items[at].start, _end(mapping, at))
    if new:
        _add(sheet, mapping, new)


def _add(sheet: Sheet, mapping: Node, new: Mapping[str, Value]) -> None:
    if mapping.flow:
        spans = [(k.start, v.end) for k, v in zip(mapping.items, mapping.values, strict=True)]
        added = [f"{emit.key(name)}: {emit.flow(value)}" for name, value in new.items()]
        sheet.edit_flow(mapping, spans, [], added)
        return
    column = sheet.column(mapping.items[0])
    lines = [emit.pair(name, value, column) for name, value in new.items()]
    sheet.insert_lines(sheet.line_end(_end(mapping, len(mapping.items) - 1)), lines)


def _assign(sheet: Sheet, mapping: Node, at: int, put: Put) -> None:
    """Put a value in the place of the one at a key."""
    key, node, value = mapping.items[at], mapping.values[at], put.value
    if value is None:
        raise TypeError("a value is needed")
    if isinstance(value, Mapping) and node.form is Form.MAPPING:
        inner = {
            name: Put(("", name), value.get(name))
            for name in put.only or frozenset(value)  # what is not named stays as it is
        }
        edit_mapping(sheet, node, inner)
    elif isinstance(value, bool | str | Mapping) or node.form is not Form.LIST:
        _replace(sheet, mapping, key, node, value)
    elif sheet.is_shared(node):
        sheet.replace(node, emit.flow(value))
    else:
        lists.assign(sheet, key, node, list(value), in_flow=mapping.flow)


def _replace(sheet: Sheet, mapping: Node, key: Node, node: Node, value: Value) -> None:
    in_flow = mapping.flow
    if not in_flow and emit.is_long(value) and not isinstance(value, bool | str | Mapping):
        indent = sheet.column(key) + emit.STEP
        written = sheet.newline + emit.block(value, indent).replace("\n", sheet.newline)
        sheet.replace(node, written, after=sheet.colon(key))
        return
    sheet.replace(node, emit.flow(value), after=sheet.colon(key))


def _end(mapping: Node, at: int) -> int:
    """Where a key and its value are over."""
    return max(mapping.items[at].end, mapping.values[at].end)
