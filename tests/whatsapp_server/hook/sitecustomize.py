"""Lets an unmodified client trust the test server: swaps its built-in root key after loading.

Python imports this module at start when its directory is on ``PYTHONPATH``. The key is changed in
the memory of this process alone; nothing on disk changes. It stays away unless the test's variable
is set.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

_VARIABLE = "RELAY_TEST_WHATSAPP_ROOT"
_BUILT_IN = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")


def _swap(library: str, root: bytes) -> None:
    hits = [
        start + offset
        for start, end in _writable_parts(library)
        if (offset := ctypes.string_at(start, end - start).find(_BUILT_IN)) >= 0
    ]
    if len(hits) != 1:
        raise RuntimeError(f"the root key was expected once in {library}, found {len(hits)} times")
    ctypes.memmove(hits[0], root, len(root))


def _writable_parts(library: str) -> list[tuple[int, int]]:
    parts = []
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, access, *rest = line.split()
        if rest and rest[-1] == library and access.startswith("rw"):
            start, _, end = span.partition("-")
            parts.append((int(start, 16), int(end, 16)))
    return parts


def _install(root: bytes) -> None:
    original = ctypes.CDLL

    class SwappingCDLL(original):  # type: ignore[misc, valid-type]  # the base is what is wrapped
        def __init__(self, name: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(name, *args, **kwargs)
            if "neonize-" in str(name):
                _swap(str(Path(str(name)).resolve()), root)

    ctypes.CDLL = SwappingCDLL  # type: ignore[misc]  # the whole purpose of this module


if _VARIABLE in os.environ:
    _install(bytes.fromhex(os.environ[_VARIABLE]))
