"""Names and numbers in a vCard (RFC 6350, and the older forms that phones still write)."""

from __future__ import annotations

import re

from relay.domain.contents import ContactCard

_FOLD = re.compile(r"\r?\n[ \t]")
_MOST_PHONES = 20


def read_vcard(vcard: str, shown_name: str = "") -> ContactCard:
    """The card. ``shown_name`` is the sender's name for it, and wins over the card's own.

    Whatever makes no sense is passed over: a strange card is still a name.
    """
    own_name, phones = "", []
    for line in _FOLD.sub("", vcard).splitlines():
        head, _, value = line.partition(":")
        # "item1.TEL;type=CELL;waid=79…": a group, the property, its parameters.
        field = head.partition(";")[0].rpartition(".")[2].upper()
        value = _unescaped(value).removeprefix("tel:").strip()
        if field == "FN":
            own_name = own_name or value
        elif field == "TEL" and value and value not in phones:
            phones.append(value)
    name = " ".join((shown_name.strip() or own_name).split())
    return ContactCard(name, tuple(phones[:_MOST_PHONES]))


def write_vcard(card: ContactCard) -> str:
    """The card as phones write it; ``waid`` beside a number lets them offer a chat."""
    name = _escaped(card.name)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{name};;;", f"FN:{name}"]
    for phone in card.phones[:_MOST_PHONES]:
        digits = "".join(filter(str.isdigit, phone))
        known = f";waid={digits}" if phone.startswith("+") and digits else ""
        lines.append(f"TEL;type=CELL{known}:{_escaped(phone)}")
    return "\n".join([*lines, "END:VCARD"])


def _escaped(value: str) -> str:
    return re.sub(r"([\\,;:])", r"\\\1", " ".join(value.split()))


def _unescaped(value: str) -> str:
    return re.sub(r"\\([\\,;:nN])", lambda found: " " if found[1] in "nN" else found[1], value)
