"""The JSON Schema of the file, for editors: what may stand where, what it means, its default."""

from __future__ import annotations

from typing import Any, Final

from relay.config.fields import CHANNEL_ID_PATTERN, Part
from relay.config.keys import PARTS
from relay.config.meanings import meanings
from relay.config.model import Config
from relay.config.values import DEFAULT, EVERYONE_ELSE

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLE: Final = "The relay's configuration"


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. Rules between keys are beyond it: ``relay check`` knows them.

    With yaml-language-server name the tag as well: ``yaml.customTags: ["!secret scalar"]``.
    """
    schema = Config.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    body = {"$schema": DIALECT, **_plain(schema), "title": TITLE}
    body["$defs"] = {name: _plain(part) for name, part in definitions.items()}
    for part in {part for parts in PARTS.values() for part in parts}:
        _describe(body if part is Config else body["$defs"][part.__name__], part)
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


def _describe(section: dict[str, Any], part: type[Part]) -> None:
    """Say what each key means."""
    for name, meaning in meanings(part).items():
        section["properties"][part.model_fields[name].alias or name]["description"] = meaning


def _or_empty(section: dict[str, Any]) -> dict[str, Any]:
    """An optional section may be there with everything in it commented out."""
    described = {key: section.pop(key) for key in ("description",) if key in section}
    return {**described, "anyOf": [section, {"type": "null"}]}


def _plain(schema: Any) -> Any:
    """Without what is true of the model only: made-up titles, ``None`` for what is left out."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = _without_null(schema)
    kept = {
        key: value
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and (value is None or isinstance(value, dict)))
    }
    return {key: value if key == "default" else _plain(value) for key, value in kept.items()}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return schema
    rest = [choice for choice in choices if choice != {"type": "null"}]
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**others, **rest[0]} if len(rest) == 1 else {**others, "anyOf": rest}
