"""From text to the tree: anchors, merge keys, duplicate keys, tags, and bounds on all of them.

Built from the parser's events rather than by PyYAML's composer: that one recurses in C without a
bound (deep brackets end the process), and forgets duplicate keys.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from relay.config.errors import START, Place, nearest
from relay.config.syntax import UnreadableError, events, place_of_mark
from relay.config.tree import (
    STANDARD,
    Broken,
    Kind,
    ListTree,
    MappingTree,
    Problem,
    Scalar,
    SecretName,
    Tree,
    kind_of_tag,
)

DEEPEST: Final = 32
MOST_UNFOLDED: Final = 200_000
"""How many values all aliases of a file together may repeat."""

_SECRET_TAG: Final = "!secret"  # noqa: S105 - the tag, not a secret
_MERGE: Final = "<<"


def read(text: str) -> tuple[MappingTree | None, list[Problem]]:
    """The tree of the file (None if it cannot be read to its end), and what is wrong with it."""
    builder = _Builder(text)
    try:
        return builder.document(), builder.problems
    except UnreadableError as error:
        return None, [*builder.problems, error.problem]


class _Builder:
    """Builds the tree from the parser's events, in one pass."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._events = events(text)
        self._anchors: dict[str, Tree | None] = {}  # None: still being built
        self._path: list[str | int] = []
        self._depth = 0
        self._unfolded = 0

    def document(self) -> MappingTree:
        """The only document of the stream.

        Raises:
            UnreadableError: the tree cannot be built to its end, or is no mapping.
        """
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise UnreadableError(START, "the file is empty")
        root = self._node(next(self._events))
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            message = "found a second document (---), expected one"
            self.problems.append(Problem((), message, place=place_of_mark(after.start_mark)))
        if isinstance(root, MappingTree):
            return root
        if isinstance(root, Scalar) and root.kind is Kind.NOTHING:
            raise UnreadableError(START, "the file is empty")
        what = "a list" if isinstance(root, ListTree) else "a single value"
        raise UnreadableError(root.place, f"found {what}, expected a mapping (key: value)")

    def _node(self, event: Any) -> Tree:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        tree: Tree
        if isinstance(event, yaml.ScalarEvent):
            tree = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = self._collection(event, "seq", ListTree(place_of_mark(event.start_mark)))
        else:
            tree = self._collection(event, "map", MappingTree(place_of_mark(event.start_mark)))
        if anchor is not None:
            self._anchors[anchor] = tree
        return tree

    def _alias(self, event: Any) -> Tree:
        place = place_of_mark(event.start_mark)
        if event.anchor not in self._anchors:
            self._complain("found an alias (*) without its anchor (&); a text needs quotes", place)
            return Broken(place)
        tree = self._anchors[event.anchor]
        if tree is None:
            raise UnreadableError(place, "found an alias inside what it stands for", self._here())
        size, depth = (
            (tree.size, tree.depth) if isinstance(tree, MappingTree | ListTree) else (1, 1)
        )
        self._unfolded += size
        if self._unfolded > MOST_UNFOLDED:
            message = f"found aliases that repeat more than {MOST_UNFOLDED} values"
            raise UnreadableError(place, message, self._here())
        self._bound_depth(depth, place)
        return tree

    def _scalar(self, event: Any) -> Tree:
        if event.tag is None:
            return _plain(event)
        place = place_of_mark(event.start_mark)
        if event.tag == _SECRET_TAG:
            return SecretName(event.value, place, self._here())
        fixed = kind_of_tag(event.tag)
        if fixed is None:
            return self._unknown_tag(event.tag, place)
        return Scalar(event.value, fixed, place.line, place.column)

    def _collection(self, event: Any, name: str, tree: MappingTree | ListTree) -> Tree:
        self._bound_depth(1, tree.place)
        self._depth += 1
        if isinstance(tree, MappingTree):
            self._fill_mapping(tree)
        else:
            self._fill_list(tree)
        self._depth -= 1
        if event.tag in (None, "!", STANDARD + name):
            return tree
        return self._unknown_tag(event.tag, tree.place)

    def _fill_list(self, tree: ListTree) -> None:
        path = self._path
        path.append(0)
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            if type(event) is yaml.ScalarEvent and event.tag is event.anchor is None:
                tree.append(_plain(event))  # the usual form of a hundred thousand entries
                tree.size += 1
                continue
            path[-1] = len(tree)
            item = self._node(event)
            tree.append(item)
            _count(tree, item)
        path.pop()

    def _fill_mapping(self, tree: MappingTree) -> None:
        merged: list[MappingTree] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = place_of_mark(event.start_mark)
            key = self._key(event)
            self._path.append(_MERGE if key is None else key.text)
            value = self._node(next(self._events))
            if key is not None and key.text == _MERGE and key.fixed is None:
                merged += self._merged(value, place)
            elif key is not None:
                self._put(tree, key.text, value, place)
            self._path.pop()
        for other in merged:
            for name in [name for name in other if name not in tree]:
                tree[name], tree.keys_at[name] = other[name], other.keys_at[name]
                _count(tree, other[name])

    def _put(self, tree: MappingTree, name: str, value: Tree, place: Place) -> None:
        if name in tree:
            message = f"duplicate key, already written on line {tree.keys_at[name].line}"
            self._complain(message, place, at_key=True)
            return
        tree[name], tree.keys_at[name] = value, place
        _count(tree, value)

    def _key(self, event: Any) -> Scalar | None:
        """The key, or None (and a problem) if it is no scalar."""
        place = place_of_mark(event.start_mark)
        key = self._node(event)
        if isinstance(key, Scalar) and (key.text or key.fixed is not None):
            return key
        if not isinstance(key, Broken):
            what = "an empty key" if isinstance(key, Scalar) else "something else as a key"
            self._complain(f"found {what}, expected a word as a key", place)
        return None

    def _merged(self, value: Tree, place: Place) -> list[MappingTree]:
        """The mappings that a merge key brings; earlier ones win over later ones."""
        sources = value if isinstance(value, ListTree) else [value]
        mappings = [source for source in sources if isinstance(source, MappingTree)]
        if len(mappings) != len(sources) and not isinstance(value, Broken):
            message = "expected an alias of a mapping, or a list of such aliases"
            self._complain(message, place, at_key=True)
        return mappings

    def _unknown_tag(self, tag: str, place: Place) -> Broken:
        hint = (
            f"nearest known tag: {_SECRET_TAG}"
            if nearest(tag, [_SECRET_TAG])
            else "a text needs quotes"
        )
        self._complain(f"found an unknown tag (!), expected {_SECRET_TAG} or none ({hint})", place)
        return Broken(place)

    def _bound_depth(self, more: int, place: Place) -> None:
        if self._depth + more > DEEPEST:
            message = f"found more than {DEEPEST} levels of nesting"
            raise UnreadableError(place, message)

    def _complain(self, message: str, place: Place, *, at_key: bool = False) -> None:
        self.problems.append(Problem(self._here(), message, at_key=at_key, place=place))

    def _here(self) -> tuple[str | int, ...]:
        return tuple(self._path)


def _plain(event: Any) -> Scalar:
    """A scalar without a tag."""
    mark = event.start_mark
    fixed = None if event.implicit[0] else Kind.TEXT
    return Scalar(event.value, fixed, mark.line + 1, mark.column + 1)


def _count(tree: MappingTree | ListTree, below: Tree) -> None:
    if isinstance(below, MappingTree | ListTree):
        tree.size += below.size
        tree.depth = max(tree.depth, below.depth + 1)
    else:
        tree.size += 1
