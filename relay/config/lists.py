"""Changes lists of the file: entries that stay keep their characters, and their comments."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence

from relay.config import emit
from relay.config.spans import Form, Node
from relay.config.splices import EditRefusedError, Sheet
from relay.config.values import WrongValueError, listed_number


def assign(sheet: Sheet, key: Node, node: Node, value: Sequence[str], *, in_flow: bool) -> None:
    """Make the list at a key hold exactly these entries; ``in_flow``: it stands in brackets."""
    if not node.flow:
        _assign_block(sheet, key, node, value)
    elif "#" not in sheet.text[node.start : node.end] and not in_flow and emit.is_long(value):
        _spread(sheet, key, node, value)
    else:
        _assign_flow(sheet, node, value)


def _meaning(sheet: Sheet, node: Node) -> str:
    """What an entry says: numbers by their digits, everything else as it is written."""
    found = sheet.resolved(node)
    if found.form is not Form.SCALAR:
        raise EditRefusedError("an entry of the list is no single value")
    try:
        return listed_number(found.text)
    except WrongValueError:
        return found.text


def _assign_block(sheet: Sheet, key: Node, node: Node, value: Sequence[str]) -> None:
    """Lines are kept, moved and taken out with the comments above and beside them."""
    meanings = [_meaning(sheet, item) for item in node.items]
    kept = _kept(meanings, value)
    added = value[len(kept) :]
    if kept and set(added).isdisjoint(meanings):
        _change_lines(sheet, node, kept, added)
    else:
        _order_lines(sheet, key, node, value, meanings)


def _kept(meanings: Sequence[str], value: Sequence[str]) -> list[int]:
    """Which entries stay where they are: those that the wish begins with, in its order."""
    kept, wanted = list[int](), iter(value)
    entry = next(wanted, None)
    for place, meaning in enumerate(meanings):
        if meaning == entry:
            kept.append(place)
            entry = next(wanted, None)
    return kept


def _change_lines(sheet: Sheet, node: Node, kept: Sequence[int], added: Sequence[str]) -> None:
    """Take out the lines of the others, and put new ones behind the last."""
    last = len(node.items) - 1
    block = emit.block(added, _indent(sheet, node)) if added else ""
    new = block.replace("\n", sheet.newline) + sheet.newline if added else ""
    for first, end in _gaps(kept, last):
        begin, finish = _chunk(sheet, node, first)[0], _chunk(sheet, node, end)[1]
        sheet.splice(begin, finish, new if end == last else "")
    if added and kept[-1] == last:
        sheet.insert_lines(_chunk(sheet, node, last)[1], [block])


def _gaps(kept: Sequence[int], last: int) -> Iterator[tuple[int, int]]:
    """First and last of each row of entries that go: neighbours go at once."""
    before = -1
    for at in (*kept, last + 1):
        if at > before + 1:
            yield before + 1, at - 1
        before = at


def _order_lines(
    sheet: Sheet, key: Node, node: Node, value: Sequence[str], meanings: Sequence[str]
) -> None:
    """The same entries in another order, or none of them."""
    chunks = [_chunk(sheet, node, at) for at in range(len(node.items))]
    start, end = chunks[0][0], chunks[-1][1]
    if not value:
        sheet.splice(sheet.colon(key), sheet.colon(key), " []")
        sheet.splice(start, end, "")
        return
    text, known = sheet.text, defaultdict[str, deque[str]](deque)
    for meaning, (begin, finish) in zip(meanings, chunks, strict=True):
        chunk = text[begin:finish]
        known[meaning].append(chunk if chunk.endswith("\n") else chunk + sheet.newline)
    indent = _indent(sheet, node)
    lines = (
        known[entry].popleft() if known[entry] else emit.block([entry], indent) + sheet.newline
        for entry in value
    )
    sheet.splice(start, end, "".join(lines))


def _indent(sheet: Sheet, node: Node) -> int:
    """How far the dashes are moved in."""
    begin = sheet.line_start(node.items[0].start)
    return sheet.text.rindex("-", begin, node.items[0].start) - begin


def _chunk(sheet: Sheet, node: Node, at: int) -> tuple[int, int]:
    """The lines of an entry, beginning with the comments above it."""
    item = node.items[at]
    line = sheet.line_start(item.start)
    if sheet.text[line : item.start].strip() != "-":
        raise EditRefusedError("an entry of the list does not stand on a line of its own")
    return sheet.line_end(node.items[at - 1].end) if at else line, sheet.line_end(item.end)


def _assign_flow(sheet: Sheet, node: Node, value: Sequence[str]) -> None:
    spans = [(item.start, item.end) for item in node.items]
    meanings = [_meaning(sheet, item) for item in node.items]
    kept = _kept(meanings, value)
    added = value[len(kept) :]
    if not set(added).isdisjoint(meanings):
        _rewrite(sheet, node, meanings, value)  # in another order
        return
    gone = sorted(set(range(len(spans))) - set(kept))
    sheet.edit_flow(node, spans, gone, [emit.scalar(entry) for entry in added])


def _written(sheet: Sheet, node: Node, meanings: Sequence[str], value: Sequence[str]) -> list[str]:
    """The entries as they stand in the file, and new ones as we write them."""
    pairs = zip(meanings, node.items, strict=True)
    known = {meaning: sheet.text[item.start : item.end] for meaning, item in pairs}
    return [known.get(entry) or emit.scalar(entry) for entry in value]


def _rewrite(sheet: Sheet, node: Node, meanings: Sequence[str], value: Sequence[str]) -> None:
    if "#" in sheet.text[node.start : node.end]:
        raise EditRefusedError("the list has comments in its brackets, and its order changes")
    entries = _written(sheet, node, meanings, value)
    sheet.splice(node.start, node.end, f"[{', '.join(entries)}]")


def _spread(sheet: Sheet, key: Node, node: Node, value: Sequence[str]) -> None:
    """A list in brackets has become long: one entry a line."""
    entries = _written(sheet, node, [_meaning(sheet, item) for item in node.items], value)
    indent = " " * (sheet.column(key) + emit.STEP)
    lines = "".join(f"{sheet.newline}{indent}- {entry}" for entry in entries)
    sheet.splice(sheet.colon(key), node.end, lines)
