"""Plain classes of ours out of JSON: exactly what was written, and nothing made fit."""

from __future__ import annotations

import enum
import json
from typing import Any

import orjson
from cattrs import Converter


def read_form(form: Any, data: str | bytes) -> Any:
    """The value of that form, a dataclass or a union of some that tell themselves apart.

    Keys that it does not have are overlooked: a later release may have written them.

    Raises:
        ValueError: these bytes are not the JSON of one.
    """
    try:
        return _structured(form, orjson.loads(data))
    except ValueError:  # perhaps a number beyond 64 bits, of which orjson makes another
        return _structured(form, json.loads(data))


def _structured(form: Any, value: object) -> Any:
    try:
        return _CONVERTER.structure(value, form)
    except Exception as error:  # noqa: BLE001  cattrs raises whatever it meets, bare ones too
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _exactly(*kinds: type) -> Any:
    def read(value: object, _: object) -> object:
        if type(value) not in kinds:
            raise ValueError(f"a {type(value).__name__} is no {kinds[0].__name__}")
        return value

    return read


def _member(value: Any, of: Any) -> object:
    return of(value)


def _converter() -> Converter:
    """Cattrs', but that it makes no text of a number, and no number of text."""
    converter = Converter(detailed_validation=False)
    for kinds in ((str,), (int,), (bool,), (float, int)):
        converter.register_structure_hook(kinds[0], _exactly(*kinds))
    for kind in (enum.StrEnum, enum.IntEnum):  # which are text, or a number, as well
        converter.register_structure_hook(kind, _member)
    return converter


_CONVERTER = _converter()
