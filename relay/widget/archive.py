"""The archive that amoCRM takes for a widget: manifest, script, texts and pictures in one zip.

Source of the rules: amoCRM developer documentation, "Widget SDK": archive, manifest.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

FRONT: Final = files("relay.widget") / "front"

_PARTS: Final = (
    "words.js",
    "dom.js",
    "backend.js",
    "phones.js",
    "button.js",
    "side.js",
    "card.js",
    "draft.js",
    "pairing.js",
    "channels.js",
    "sections.js",
    "blacklist.js",
    "users.js",
    "page.js",
    "style.js",
    "widget.js",
)
"""The parts of ``script.js`` in their order; each sees those before it."""

_FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
_STAMP: Final = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the earliest a zip can say: the same bytes for the same parts


def version_at(moment: datetime) -> str:
    """A version that grows with every minute: amoCRM takes an archive only if its version has."""
    minutes = int((moment - _FIRST_DAY).total_seconds()) // 60
    return f"1.{minutes // 10_000}.{minutes % 10_000}"


def build_archive(backend: str, version: str) -> bytes:
    """The zip for a relay at ``backend`` (its public address); equal arguments, equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in archive_files(backend, version).items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def archive_files(backend: str, version: str) -> dict[str, bytes]:
    """What is in the archive, by name."""
    found = {"manifest.json": _manifest(backend, version), "script.js": script(backend)}
    found["page.css"] = (FRONT / "page.css").read_bytes()  # loaded when the page is opened
    for folder in ("i18n", "images"):
        for file in sorted((FRONT / folder).iterdir(), key=lambda file: file.name):
            found[f"{folder}/{file.name}"] = file.read_bytes()
    return found


def script(backend: str) -> bytes:
    """``script.js``: an AMD module made of the parts, without their remarks and indentation."""
    parts = (_dense((FRONT / "script" / name).read_text("utf-8")) for name in _PARTS)
    address = json.dumps(backend.rstrip("/")).replace("<", "\\u003c")
    head = f"define(['jquery'], function ($) {{\n'use strict';\nconst BACKEND = {address};\n"
    return (head + "".join(parts) + "});\n").encode()


def _manifest(backend: str, version: str) -> bytes:
    manifest = json.loads(_read(FRONT / "manifest.json"))
    manifest["widget"]["version"] = version
    manifest["widget"]["support"]["link"] = backend
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _read(file: Traversable) -> str:
    return file.read_text("utf-8")


_REMARK: Final = re.compile(r"^\s*//.*$|\s+// .*$")
"""A remark that fills a line or stands behind code; addresses with ``//`` have no space before."""


def _dense(source: str) -> str:
    """The source without remarks, indentation and empty lines. No part has multi-line strings."""
    lines = (_REMARK.sub("", line).strip() for line in source.splitlines())
    return "".join(line + "\n" for line in lines if line)
