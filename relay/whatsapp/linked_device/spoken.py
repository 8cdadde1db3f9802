"""Polls, orders, lists, buttons and templates as text: what a person reads on the phone.

A button is shown as ``[its words]``, an item as a line with a dot. What the kind is called differs
by language and is not said here; a small picture stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from relay.whatsapp.linked_device.protobufs import as_text

_MOST_ITEMS = 50
_TEMPLATE_BUTTONS = (("quickReplyButton", ""), ("urlButton", "URL"), ("callButton", "phoneNumber"))
"""Kinds of buttons of a template, and where each tells whither it leads."""


def spoken(field: str, part: Any) -> str | None:
    """The text of a part; None if it is no such part, or says nothing."""
    reader = _READERS.get(field)
    if reader is None:
        return None
    lines = (line.strip() for line in reader(part))
    return "\n".join(line for line in lines if line) or None


def _poll(part: Any) -> Iterable[str]:
    name = as_text(part.name)
    yield f"📊 {name}" if name else ""
    for option in part.options[:_MOST_ITEMS]:
        yield _item(as_text(option.optionName))


def _order(part: Any) -> Iterable[str]:
    total = _price(part.totalAmount1000, as_text(part.totalCurrencyCode))
    count = f"× {part.itemCount}" if part.itemCount else ""
    facts = " ".join(filter(None, (as_text(part.orderTitle), count, total)))
    yield f"🛒 {facts}" if facts else ""
    yield as_text(part.message)


def _product(part: Any) -> Iterable[str]:
    product = part.product
    price = _price(product.priceAmount1000, as_text(product.currencyCode))
    facts = " ".join(filter(None, (as_text(product.title), price)))
    yield f"🛒 {facts}" if facts else ""
    yield as_text(product.description)
    yield as_text(product.URL)
    yield as_text(part.body)


def _event(part: Any) -> Iterable[str]:
    name = as_text(part.name)
    yield f"📅 {name}" if name else ""
    if part.startTime > 0:
        yield _moment(int(part.startTime))
    yield as_text(part.description)
    yield as_text(part.joinLink)


def _group_invite(part: Any) -> Iterable[str]:
    name = as_text(part.groupName)
    yield f"👥 {name}" if name else ""
    yield as_text(part.caption)


def _list(part: Any) -> Iterable[str]:
    yield as_text(part.title)
    yield as_text(part.description)
    for section in part.sections[:_MOST_ITEMS]:
        yield as_text(section.title)
        for row in section.rows[:_MOST_ITEMS]:
            more = as_text(row.description)
            yield _item(as_text(row.title) + (f" ({more})" if more else ""))
    yield as_text(part.footerText)
    yield _button(as_text(part.buttonText))


def _list_answer(part: Any) -> Iterable[str]:
    yield as_text(part.title)
    yield as_text(part.description)


def _buttons(part: Any) -> Iterable[str]:
    yield as_text(part.text)
    yield as_text(part.contentText)
    yield as_text(part.footerText)
    for button in part.buttons[:_MOST_ITEMS]:
        yield _button(as_text(button.buttonText.displayText))


def _pressed(part: Any) -> Iterable[str]:
    yield as_text(part.selectedDisplayText)


def _template(part: Any) -> Iterable[str]:
    if part.HasField("interactiveMessageTemplate"):
        yield from _interactive(part.interactiveMessageTemplate)
        return
    filled = "hydratedTemplate" if part.HasField("hydratedTemplate") else "hydratedFourRowTemplate"
    template = getattr(part, filled)
    yield as_text(template.hydratedTitleText)
    yield as_text(template.hydratedContentText)
    yield as_text(template.hydratedFooterText)
    for button in template.hydratedButtons[:_MOST_ITEMS]:
        for kind, more in _TEMPLATE_BUTTONS:
            if button.HasField(kind):
                told = getattr(button, kind)
                where = as_text(getattr(told, more)) if more else ""
                yield " ".join(filter(None, (_button(as_text(told.displayText)), where)))


def _interactive(part: Any) -> Iterable[str]:
    yield as_text(part.header.title)
    yield as_text(part.header.subtitle)
    yield as_text(part.body.text)
    yield as_text(part.footer.text)


def _interactive_answer(part: Any) -> Iterable[str]:
    yield as_text(part.body.text)


_READERS: dict[str, Callable[[Any], Iterable[str]]] = {
    **dict.fromkeys(
        ("pollCreationMessage", *(f"pollCreationMessageV{n}" for n in (2, 3, 5, 6))), _poll
    ),
    "orderMessage": _order,
    "productMessage": _product,
    "eventMessage": _event,
    "groupInviteMessage": _group_invite,
    "listMessage": _list,
    "listResponseMessage": _list_answer,
    "buttonsMessage": _buttons,
    "buttonsResponseMessage": _pressed,
    "templateMessage": _template,
    "templateButtonReplyMessage": _pressed,
    "interactiveMessage": _interactive,
    "interactiveResponseMessage": _interactive_answer,
}


def _item(words: str) -> str:
    return f"• {words}" if words else ""


def _button(words: str) -> str:
    return f"[{words}]" if words else ""


def _price(thousandths: int, currency: str) -> str:
    if thousandths <= 0 or not currency:
        return ""
    whole, rest = divmod(thousandths // 10, 100)
    return f"{whole}{f'.{rest:02}' if rest else ''} {currency}"


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return ""
