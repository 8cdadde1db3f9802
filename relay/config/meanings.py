"""What the model's keys mean: the docstrings under its attributes, read when somebody asks.

Only the JSON Schema and the words on a missing key want it, so no start waits for it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from relay.config.parts import Part

_READ: Final[dict[type[Part], Mapping[str, str]]] = {}


def meanings(part: type[Part]) -> Mapping[str, str]:
    """By the attribute's name, of the part's own attributes and of those it inherits."""
    if part not in _READ:
        found: dict[str, str] = {}
        for above in reversed(part.__mro__):
            if above is not Part and issubclass(above, Part):
                found.update(_own(above))
        _READ[part] = found
    return _READ[part]


def _own(part: type[Part]) -> Mapping[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 - it is the source of a class
    return {
        attribute.target.id: inspect.cleandoc(said.value.value)
        for attribute, said in pairwise(tree.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }
