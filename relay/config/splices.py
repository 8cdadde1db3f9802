"""A text with changes noted on it, applied all at once; and what holds its anchors together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.config.spans import Form, Node


class EditRefusedError(Exception):
    """What is to be changed stands in a form that cannot be changed by itself; the text says so."""


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    written: str


@dataclass(slots=True)
class Sheet:
    """The text, its root node, its line ends, and the changes noted so far.

    ``marked``: the nodes that are aliases, or have an anchor.
    """

    text: str
    root: Node
    marked: Sequence[Node]
    newline: str
    _splices: list[_Splice] = field(default_factory=list)
    _aliases: dict[str, list[Node]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.marked:
            if node.form is Form.ALIAS:
                self._aliases.setdefault(node.text, []).append(node)

    # --- Where things are ---------------------------------------------------------------------

    def line_start(self, at: int) -> int:
        """The first character of the line."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """The first character of the next line."""
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def column(self, node: Node) -> int:
        """How far a node that begins its line is moved in.

        Raises:
            EditRefusedError: it does not begin its line.
        """
        start = self.line_start(node.start)
        if self.text[start : node.start].strip(" "):
            raise EditRefusedError(f"{node.text} does not begin a line of its own")
        return node.start - start

    def colon(self, key: Node) -> int:
        """The place after the colon of a key."""
        return self.text.index(":", key.end) + 1

    def is_shared(self, node: Node) -> bool:
        """Whether an alias elsewhere stands for it."""
        return node.anchor is not None and node.anchor in self._aliases

    def resolved(self, node: Node) -> Node:
        """The node itself, or the one that an alias stands for."""
        if node.form is not Form.ALIAS:
            return node
        anchored = (each for each in self.marked if each.anchor == node.text)
        before = [each for each in anchored if each.start < node.start]
        return max(before, key=lambda each: each.start, default=node)

    # --- Changes ------------------------------------------------------------------------------

    def splice(self, start: int, end: int, written: str) -> None:
        """Put something in the place of those characters."""
        self._splices.append(_Splice(start, end, written))

    def replace(self, node: Node, written: str, *, after: int | None = None) -> None:
        """Put a value in a node's place; ``after``: the colon it stands behind."""
        if node.start == node.end:  # nothing stands there
            at = node.start if after is None else after
            self.splice(at, at, written if written.startswith(self.newline) else f" {written}")
            return
        if written.startswith(self.newline) and after is not None:
            comment = self.text[after : node.start]
            if comment.strip() == "":
                self.splice(after, node.end, written)
                return
        self.splice(node.start, node.end, written)

    def insert_lines(self, at: int, lines: Sequence[str]) -> None:
        """Put lines before that one."""
        body = "\n".join(lines).replace("\n", self.newline) + self.newline
        begun = at == len(self.text) and not self.text.endswith("\n")
        self.splice(at, at, self.newline + body if begun else body)

    def delete_lines(self, start: int, end: int) -> None:
        """Take out the lines from one place to another, which begin and end with them.

        Raises:
            EditRefusedError: something else stands before it on its line.
        """
        first = self.line_start(start)
        if self.text[first:start].strip(" "):
            raise EditRefusedError("it does not begin a line of its own")
        self.splice(first, self.line_end(end), "")

    def edit_flow(
        self,
        node: Node,
        spans: Sequence[tuple[int, int]],
        gone: Sequence[int],
        added: Sequence[str],
    ) -> None:
        """Take entries out of brackets, and put others at their end; comments in them stay."""
        out = set(gone)
        kept = [at for at in range(len(spans)) if at not in out]
        if not kept:
            start, end = (spans[0][0], spans[-1][1]) if spans else (node.end - 1, node.end - 1)
            self.splice(start, end, ", ".join(added))
            return
        for at in out:
            self._cut(spans, at, last=kept[-1])
        if added:
            end = spans[kept[-1]][1]
            self.splice(end, end, "".join(f", {entry}" for entry in added))

    def _cut(self, spans: Sequence[tuple[int, int]], at: int, *, last: int) -> None:
        """Take out one entry: with what follows it, or, behind the last that stays, before it."""
        if at < last:
            self.splice(spans[at][0], spans[at + 1][0], "")
            return
        start, end = spans[at - 1][1], spans[at][1]
        between = self.text[start : spans[at][0]]
        if "#" in between:  # a comment: the comma before it may stay where it is
            self.splice(*spans[at], "")
            rest = self.text[end:].lstrip()
            if rest.startswith(","):
                comma = self.text.index(",", end)
                self.splice(comma, comma + 1, "")
        else:
            self.splice(start, end, "")

    # --- The end ------------------------------------------------------------------------------

    def result(self) -> str:
        """The text with all changes.

        Raises:
            EditRefusedError: changes meet in one place, or an anchor would be lost.
        """
        self._rescue_anchors()
        parts, at = list[str](), 0
        for each in sorted(self._splices, key=lambda splice: (splice.start, splice.end)):
            if each.start < at:
                raise EditRefusedError("the changes meet in one place")
            parts += [self.text[at : each.start], each.written]
            at = each.end
        return "".join([*parts, self.text[at:]])

    def _rescue_anchors(self) -> None:
        """What an alias elsewhere stands for, and is taken out here, is written out there."""
        if not self._aliases:
            return
        cuts = [(s.start, s.end) for s in self._splices if s.start < s.end]
        for node in self.marked:
            if node.anchor is None or not any(a <= node.start < b for a, b in cuts):
                continue
            left = [
                alias
                for alias in self._aliases.get(node.anchor, [])
                if alias.start > node.start and not any(a <= alias.start < b for a, b in cuts)
            ]
            if left:
                self._move_anchor(node, min(left, key=lambda alias: alias.start))

    def _move_anchor(self, node: Node, alias: Node) -> None:
        written = self.text[node.start : node.end]
        if "\n" in written:
            raise EditRefusedError(f"it has the anchor &{node.anchor}, which stands elsewhere too")
        self.splice(alias.start, alias.end, written)
