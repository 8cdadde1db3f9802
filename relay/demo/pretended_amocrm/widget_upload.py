"""What amoCRM takes as a widget's archive, and what it refuses.

Source: amoCRM developer documentation, "Widget SDK": archive, manifest, images, i18n.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

from relay.demo.pretended_amocrm.refusal import Refusal

_LARGEST_PICTURE = 300 * 1024
_PICTURES = {
    "images/logo_main.png": (400, 272),
    "images/logo_small.png": (108, 108),
    "images/logo.png": (130, 100),
    "images/logo_medium.png": (240, 84),
    "images/logo_min.png": (84, 84),
}
_TOUR = (1188, 616)
_LOCATIONS = frozenset(
    {
        "settings", "advanced_settings", "card_sdk", "catalogs", "digital_pipeline",
        "lead_sources", "whatsapp_modal", "salesbot_designer", "everywhere", "sms", "mobile_card",
        "amoforms", "widget_page",
    }
)  # fmt: skip
_SUFFIXED = re.compile(r"(llist|clist|tlist|culist|lcard|ccard|comcard|cucard)-[01]")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SETTING_TYPES = frozenset({"text", "pass", "users", "users_lp", "custom"})
_FORBIDDEN = re.compile(r"\b(eval|alert|confirm)\s*\(|document\.write|crm_post|new Function\b")


def read_archive(content: bytes) -> dict[str, bytes]:
    """The files of an archive that amoCRM would take, by name.

    Raises:
        Refusal: it would not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {info.filename: archive.read(info) for info in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise _refused("not a zip") from error
    for name in ("manifest.json", "script.js", "i18n/ru.json"):
        if name not in found:
            raise _refused(f"{name} is missing at the root of the archive")
    texts = _texts(found)
    _check_manifest(_json(found, "manifest.json"), found, texts)
    _check_pictures(found)
    script = _text(found, "script.js")
    if not script.lstrip().startswith("define("):
        raise _refused("script.js is not an AMD module")
    if bad := _FORBIDDEN.search(script):
        raise _refused(f"script.js must not use {bad.group()}")
    return found


def _texts(found: Mapping[str, bytes]) -> dict[str, Any]:
    texts = {name: _json(found, name) for name in found if name.startswith("i18n/")}
    shapes = {name: _shape(text) for name, text in texts.items()}
    first = shapes["i18n/ru.json"]
    for name, shape in shapes.items():
        if shape != first:
            raise _refused(f"{name} has other keys than i18n/ru.json: {sorted(shape ^ first)}")
    return texts


def _shape(text: Any, path: str = "") -> set[str]:
    if not isinstance(text, dict):
        return {path}
    return {each for key, value in text.items() for each in _shape(value, f"{path}.{key}")}


def _check_manifest(manifest: Any, found: Mapping[str, bytes], texts: Mapping[str, Any]) -> None:
    widget = manifest.get("widget", {})
    for key in ("name", "description", "short_description"):
        _spoken(texts, widget.get(key), f"widget.{key}")
    if not _VERSION.fullmatch(str(widget.get("version"))):
        raise _refused("widget.version must be three numbers")
    if widget.get("interface_version") != 2 or not isinstance(widget.get("init_once"), bool):
        raise _refused("widget.interface_version must be 2, init_once a switch")
    for language in widget.get("locale", []):
        if f"i18n/{language}.json" not in found:
            raise _refused(f"i18n/{language}.json is missing")
    support = widget.get("support", {})
    if not (support.get("link") or support.get("email")):
        raise _refused("widget.support must have a link or an email")
    for place in manifest.get("locations", []):
        if place not in _LOCATIONS and not _SUFFIXED.fullmatch(place):
            raise _refused(f"locations: {place} is none")
    _check_tour(manifest.get("tour", {}), found, texts)
    for key, setting in manifest.get("settings", {}).items():
        if setting.get("type") not in _SETTING_TYPES:
            raise _refused(f"settings.{key}: unknown type")
        _spoken(texts, setting.get("name"), f"settings.{key}.name")
    if "advanced_settings" in manifest.get("locations", []):
        _spoken(texts, manifest.get("advanced", {}).get("title"), "advanced.title")


def _check_tour(
    tour: Mapping[str, Any], found: Mapping[str, bytes], texts: Mapping[str, Any]
) -> None:
    if tour.get("is_tour") is not True:
        raise _refused("tour.is_tour must be true")
    _spoken(texts, tour.get("tour_description"), "tour.tour_description")
    for pictures in tour.get("tour_images", {}).values():
        for picture in pictures:
            name = picture.lstrip("/")
            if name not in found or _size(found[name]) != _TOUR:
                raise _refused(f"{picture} must be a picture of {_TOUR[0]}x{_TOUR[1]}")


def _check_pictures(found: Mapping[str, bytes]) -> None:
    for name, size in _PICTURES.items():
        if name not in found or _size(found[name]) != size:
            raise _refused(f"{name} must be a picture of {size[0]}x{size[1]}")
    for name, content in found.items():
        if name.startswith("images/") and len(content) > _LARGEST_PICTURE:
            raise _refused(f"{name} is larger than 300 KB")


def _size(png: bytes) -> tuple[int, int] | None:
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    width, height = struct.unpack(">II", png[16:24])
    return int(width), int(height)


def _spoken(texts: Mapping[str, Any], key: object, where: str) -> None:
    """The key leads to a text in every language."""
    for name, text in texts.items():
        place: Any = text
        for part in str(key).split("."):
            place = place.get(part) if isinstance(place, dict) else None
        if not isinstance(place, str) or not place:
            raise _refused(f"{where}: {key} is no text of {name}")


def _json(found: Mapping[str, bytes], name: str) -> Any:
    try:
        value = json.loads(_text(found, name))
    except ValueError as error:
        raise _refused(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _refused(f"{name} is not an object")
    return value


def _text(found: Mapping[str, bytes], name: str) -> str:
    if found[name].startswith(b"\xef\xbb\xbf"):
        raise _refused(f"{name} begins with a BOM")
    try:
        return found[name].decode()
    except UnicodeDecodeError as error:
        raise _refused(f"{name} is not UTF-8") from error


def _refused(detail: str) -> Refusal:
    return Refusal(400, "WidgetArchive", detail)
