"""Where in the file a key stands, for whoever explains what the file does."""

from __future__ import annotations

from pathlib import Path

from relay.config.errors import path_text
from relay.config.tree import MappingTree, find, place_of
from relay.config.tree import Path as KeyPath


class Places:
    """The lines of a file's keys and values. It keeps all of the file's tree in memory."""

    def __init__(self, file: Path, tree: MappingTree) -> None:
        self._file = file
        self._tree = tree

    def line(self, path: KeyPath) -> int | None:
        """The line on which a key (or an item of a list) stands; None if it is not written.

        What an alias or a merge brings stands where its anchor is.
        """
        if find(self._tree, path) is None:
            return None
        return place_of(self._tree, path, at_key=True).line

    def where(self, path: KeyPath) -> str | None:
        """``FILE:LINE``, or None if it is not written."""
        line = self.line(path)
        return None if line is None else f"{self._file}:{line}"

    @staticmethod
    def name(path: KeyPath) -> str:
        """The path as an administrator writes it."""
        return path_text(path)
