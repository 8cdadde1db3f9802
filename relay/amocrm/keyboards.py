"""Buttons, lists and templates of a hook as text, for WhatsApp has none of them for us. No I/O.

A client presses a button by writing its words, so they are put where he can see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

Fields = Mapping[str, object]

_DOT: Final = "• "
_MOST: Final = 100  # lines: more than any keyboard has


def with_keyboard(text: str, message: Fields) -> str:
    """The text, made of its template if need be, and below it what could be pressed."""
    text = text if text.strip() else _filled(message.get("template"))
    markup = message.get("markup")
    if not isinstance(markup, dict):
        return text
    lines = [*_listed(markup.get("list_message"), text), *_buttons(markup.get("buttons"))]
    keyboard = "\n".join(lines[:_MOST])
    return "\n\n".join(part for part in (text, keyboard) if part.strip())


def _buttons(rows: object) -> Iterator[str]:
    """Rows of buttons; one that opens a page is told with its address."""
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else (row,):
            words = _words(button, "text")
            url = _words(button, "url")
            if words or url:
                yield _DOT + ": ".join(filter(None, (words, url)))


def _listed(shown: object, text: str) -> Iterator[str]:
    """A list message: its words, unless the text has them already, and its rows."""
    for key in ("header", "body"):
        if (words := _words(shown, key)) and words not in text:
            yield words
    sections = shown.get("sections") if isinstance(shown, dict) else None
    for section in sections if isinstance(sections, list) else ():
        if title := _words(section, "title"):
            yield f"{title}:"
        rows = section.get("rows") if isinstance(section, dict) else None
        for row in rows if isinstance(rows, list) else ():
            if words := " — ".join(
                filter(None, (_words(row, "title"), _words(row, "description")))
            ):
                yield _DOT + words
    if (footer := _words(shown, "footer")) and footer not in text:
        yield footer


def _filled(template: object) -> str:
    """A template's words with its parameters in their places."""
    content = _words(template, "content")
    params = template.get("params") if isinstance(template, dict) else None
    for param in params if isinstance(params, list) else ():
        key = _words(param, "key")
        if key and isinstance(param, dict):
            content = content.replace(key, _words(param, "value"))
    return content


def _words(place: object, key: str) -> str:
    value = place.get(key) if isinstance(place, dict) else None
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
