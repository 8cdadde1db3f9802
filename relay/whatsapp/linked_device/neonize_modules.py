"""neonize's modules one by one, without its package.

The package as a whole brings a client of its own, drawing, parsing of web pages and two HTTP
clients: 15 MB that a relay has no use for. And where its shared library is not what it expects, it
fetches one from the network and runs it. What the relay needs are the message classes, without the
shared library, and the binding to that; each is imported past every ``__init__`` on the way.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NoReturn

VERSION = "0.5.2"

_PACKAGE = "neonize"
_DOWNLOADS = "neonize.download"
_importing = threading.RLock()


def import_alone(name: str) -> ModuleType:
    """The module ``neonize.{name}``, imported once, on whatever thread.

    Raises:
        ImportError: it is not installed.
    """
    with _importing, _package_not_run():
        return importlib.import_module(f"{_PACKAGE}.{name}")


@contextmanager
def _package_not_run() -> Iterator[None]:
    """Stand-ins lie in ``sys.modules`` for what is not to run; afterwards they are gone."""
    if _PACKAGE in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"the package {_PACKAGE} is not installed")
    place = Path(next(iter(spec.submodule_search_locations)))
    stand_ins = {
        _PACKAGE: _hollow(_PACKAGE, place),
        f"{_PACKAGE}.utils": _hollow(f"{_PACKAGE}.utils", place / "utils"),
        _DOWNLOADS: _no_downloads(),
    }
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _hollow(name: str, place: Path) -> ModuleType:
    """A package whose modules can be imported, and that does nothing itself."""
    package = ModuleType(name)
    package.__path__ = [str(place)]
    return package


def _no_downloads() -> ModuleType:
    """What the binding asks which shared library it wants, and for another one if it differs."""

    def refuse() -> NoReturn:
        raise ImportError("the package has no shared library for this machine, or another one")

    module = ModuleType(_DOWNLOADS)
    module.__dict__.update(__GONEONIZE_VERSION__=VERSION, download=refuse)
    return module
