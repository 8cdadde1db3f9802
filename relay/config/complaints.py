"""From what reading found wrong to what is said: the same faults, in an administrator's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from relay.config.keys import is_secret, missing_key, unknown_key
from relay.config.shapes import Fault, What
from relay.config.tree import MappingTree, Problem, find, found, found_hidden


def complaints(faults: Iterable[Fault], tree: MappingTree) -> Iterator[Problem]:
    """The problems of a tree that is no configuration."""
    for fault in faults:
        yield Problem(fault.path, _message(fault, tree), at_key=fault.at_key)


def _message(fault: Fault, tree: MappingTree) -> str:
    match fault.what:
        case What.VALUE:
            return fault.message
        case What.MISSING:
            return missing_key(fault.path)
        case What.UNKNOWN:
            return unknown_key(tree, fault.path)
        case What.TOO_FEW:
            return "found none, expected at least one channel"  # only channels must be there
        case _:
            value = find(tree, fault.path)
            what = found_hidden(value) if is_secret(fault.path) else found(value)
            return f"found {what}, expected {fault.what.value}"
