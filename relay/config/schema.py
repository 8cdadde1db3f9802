"""The JSON Schema of the file, for editors: what may stand where, what it means, its default."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Final

from relay.config.fields import CHANNEL_ID_PATTERN
from relay.config.meanings import meanings
from relay.config.model import Config
from relay.config.parts import Entry, Part, entries
from relay.config.values import DEFAULT, EVERYONE_ELSE

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLE: Final = "The relay's configuration"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. Rules between keys are beyond it: ``relay check`` knows them.

    With yaml-language-server name the tag as well: ``yaml.customTags: ["!secret scalar"]``.
    """
    body = {"$schema": DIALECT, "title": TITLE, "description": _said_of(Config), **_section(Config)}
    body["$defs"] = {
        part.__name__: {"description": _said_of(part), **_section(part)} for part in _below(Config)
    }
    properties = body["properties"]
    properties["channels"]["propertyNames"] = {
        "pattern": CHANNEL_ID_PATTERN,
        "not": {"const": DEFAULT},
    }
    properties["users"]["propertyNames"] = {"pattern": f"^([1-9][0-9]*|{EVERYONE_ELSE})$"}
    account = body["$defs"]["AmoCrm"]
    account["oneOf"] = [{"required": ["token"]}, {"required": ["oauth"]}]
    for name in ("log", "delivery", "settings", "users"):
        properties[name] = _or_empty(properties[name])
    return body


def _below(part: type[Part]) -> Iterator[type[Part]]:
    """All parts within a part, each once, in the order of the file."""
    found = dict[type[Part], None]()
    for entry in entries(part).values():
        for inner in entry.shape.parts():
            found |= dict.fromkeys((inner, *_below(inner)))
    yield from found


def _section(part: type[Part]) -> dict[str, Any]:
    known = entries(part).values()
    section: dict[str, Any] = {
        "type": "object",
        "properties": {entry.key: _property(part, entry) for entry in known},
        "additionalProperties": False,
    }
    if needed := [entry.key for entry in known if entry.needed]:
        section["required"] = needed
    return section


def _property(part: type[Part], entry: Entry) -> dict[str, Any]:
    """What may stand there, what it means, and its default, unless that is a section's."""
    default = entry.default
    shown = {} if default is None or isinstance(default, Part) else {"default": default}
    return {"description": meanings(part)[entry.name], **entry.shape.schema(), **shown}


def _said_of(part: type[Part]) -> str:
    return cleandoc(part.__doc__ or "")


def _or_empty(section: dict[str, Any]) -> dict[str, Any]:
    """An optional section may be there with everything in it commented out."""
    described = {key: section.pop(key) for key in ("description",) if key in section}
    return {**described, "anyOf": [section, {"type": "null"}]}
