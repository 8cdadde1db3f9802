"""Where in the file a key stands, for whoever explains what the file does."""

from __future__ import annotations

from relay.config.tree import MappingTree, Path, find, place_of


class Places:
    """The lines of a file's keys and values. It keeps all of the file's tree in memory."""

    def __init__(self, tree: MappingTree) -> None:
        self._tree = tree

    def line(self, path: Path) -> int | None:
        """The line on which a key (or an item of a list) stands; None if it is not written.

        What an alias or a merge brings stands where its anchor is.
        """
        if find(self._tree, path) is None:
            return None
        return place_of(self._tree, path, at_key=True).line
