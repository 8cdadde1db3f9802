"""Lets an unmodified client trust the test server: swaps its built-in root key after loading.

Python imports this module at start when its directory is on ``PYTHONPATH``. The key is changed in
the memory of this process alone; nothing on disk changes. It also refuses Python's own connections
to anything but this machine, and writes them down. Both stay away unless the test's variables are
set.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

_VARIABLE = "RELAY_TEST_WHATSAPP_ROOT"
_STRAYS = "RELAY_TEST_STRAYS"
_LOCAL = ("localhost", "::1", "::", "0.0.0.0")  # noqa: S104  (names of this machine)
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


def _watch(report: Path) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else None
        elif event == "socket.getaddrinfo":
            host = arguments[0]
        else:
            return
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name == "" or name in _LOCAL or name.startswith("127."):
            return
        with report.open("a", encoding="utf-8") as lines:
            lines.write(f"{event} {name}\n")
        raise PermissionError(f"this test allows no connection to {name}")

    sys.addaudithook(hook)


if _STRAYS in os.environ:
    _watch(Path(os.environ[_STRAYS]))
if _VARIABLE in os.environ:
    _install(bytes.fromhex(os.environ[_VARIABLE]))
