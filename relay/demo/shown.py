"""Messages as the page shows them: the thing in one, and one in a few words."""

from __future__ import annotations

from typing import Any, Final

from relay.demo.pretended_amocrm import Message
from relay.demo.pretended_whatsapp import Attachment, Bubble, Card, Place, Thing
from relay.demo.sending import TYPES

Json = dict[str, Any]

WHAT: Final = {type_: what for what, type_ in TYPES.items()}
"""The kinds of files, by amoCRM's words for them."""

_NAMED: Final = ("document", "location", "contact")
"""Kinds of things that people know by a name."""


def thing_of_bubble(bubble: Bubble) -> Json | None:
    """What a message on the phone holds besides words; a file with where it is to be had."""
    match bubble.thing:
        case Place(latitude, longitude, name):
            return _place(latitude, longitude, name)
        case Card(name, phone):
            return _card(name, phone)
        case Attachment() as file:
            return {
                "what": file.what,
                "name": file.name,
                "size": len(file.data),
                "duration_s": file.duration_s,
                "waveform": file.waveform,
                "url": f"/files/{bubble.id}",
            }
        case None:
            return None


def thing_of_message(message: Message) -> Json | None:
    """What a message in amoCRM holds besides words; a file behind the very link it came with."""
    content = message.content
    match message.kind:
        case "location":
            place = content["location"]
            return _place(place["lat"], place["lon"], "")
        case "contact":
            return _card(content["contact"]["name"], content["contact"]["phone"])
        case type_ if type_ in WHAT and content.get("media"):
            return {
                "what": WHAT[type_],
                "name": content.get("file_name", ""),
                "size": content.get("file_size") or None,
                "duration_s": content.get("media_duration"),
                "url": content["media"],
            }
    return None


def _place(latitude: float, longitude: float, name: str) -> Json:
    return {"what": "location", "name": name, "words": f"{latitude:.5f}, {longitude:.5f}"}


def _card(name: str, phone: str) -> Json:
    return {"what": "contact", "name": name, "words": phone}


def brief_of_bubble(bubble: Bubble | None) -> Json | None:
    """A message on the phone in a few words."""
    if bubble is None:
        return None
    what, thing = _what(bubble.thing), bubble.thing
    return brief(bubble.text, what, thing.name if thing and what in _NAMED else "")


def brief_of_message(message: Message | None) -> Json | None:
    """A message in amoCRM in a few words."""
    if message is None:
        return None
    thing = thing_of_message(message)
    if thing is None:
        return brief(message.text)
    what = thing["what"]
    return brief(message.text, what, thing["name"] if what in _NAMED else "")


def brief(words: str, what: str = "text", name: str = "") -> Json:
    """What kind of message it is, and its words; without any, the name of what it holds."""
    return {"what": what, "words": words or name}


def _what(thing: Thing | None) -> str:
    match thing:
        case Attachment(what):
            return what
        case Place():
            return "location"
        case Card():
            return "contact"
        case None:
            return "text"
