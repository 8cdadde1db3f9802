"""What the model's keys mean: the docstrings under its attributes, read when somebody asks.

Pydantic can do it too (``use_attribute_docstrings``), but parses the source of every model at each
start, which took a quarter of it. Only the JSON Schema and the words on a missing key want it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise

from relay.config.fields import Part


@functools.cache
def meanings(part: type[Part]) -> Mapping[str, str]:
    """By the attribute's name, of the part's own attributes and of those it inherits."""
    found: dict[str, str] = {}
    for above in reversed(part.__mro__):
        if above is not Part and issubclass(above, Part):
            found.update(_own(above))
    return found


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
