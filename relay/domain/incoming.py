"""What becomes of a WhatsApp message on its way into amoCRM: one pure function a rule, in order.

A rule takes what is being decided and the settings, and returns it (perhaps changed) or a verdict
that ends the matter. To add a rule, write the function and put its name into the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from relay.domain.contents import Content, Media, Text
from relay.domain.ids import ChannelId
from relay.domain.marks import mark
from relay.domain.message import Origin, Received
from relay.domain.settings import Settings
from relay.domain.signatures import Signatures
from relay.domain.texts import SENT_FROM_PHONE
from relay.domain.values import value


@value
class Ignored:
    """Nothing enters the other side, and nobody is told. ``rule`` names the rule in the log."""

    rule: str


@value
class Incoming:
    """A WhatsApp message on its way into amoCRM, heard by ``channel``.

    The client has what is known of him, his number too if he came by a hidden address.
    ``sent_by_us``: the relay itself sent it. ``marks`` will open it in amoCRM.
    """

    message: Received
    channel: ChannelId | None = None
    sent_by_us: bool = False
    marks: tuple[str, ...] = ()


LISTED = "blacklist"
"""The rule that keeps out a listed number's conversation, as the log names it."""

InRule = Callable[[Incoming, Settings], Incoming | Ignored]


def drop_own_echo(incoming: Incoming, _: Settings) -> Incoming | Ignored:
    """A message that the relay itself sent never comes back as one typed on the phone."""
    return Ignored("sent_by_relay") if incoming.sent_by_us else incoming


def keep_out_listed(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """Nothing of a listed number's conversation enters amoCRM, whoever of the two wrote it."""
    return Ignored(LISTED) if settings.blacklist.lists(incoming.message.client) else incoming


def import_only_on_request(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """Messages typed on the phone enter amoCRM only with ``import_sent_from_phone``."""
    if incoming.message.origin is Origin.PHONE and not settings.import_sent_from_phone:
        return Ignored("sent_from_phone")
    return incoming


def take_signature_off(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """What was typed on another device may be a manager's text: amoCRM never shows a signature."""
    message = incoming.message
    if message.origin is not Origin.PHONE:
        return incoming
    content = _unsigned(message.content, settings.signatures)
    if content is message.content:
        return incoming
    return replace(incoming, message=replace(message, content=content))


def open_with_marks(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """The channel's title if the file asks for it, and that it was typed on the phone."""
    marks: list[str] = []
    if incoming.channel in settings.title_in_messages:
        channel = settings.channels.get(incoming.channel) if incoming.channel else None
        marks += [mark(channel.title)] if channel else []
    if incoming.message.origin is Origin.PHONE:
        marks.append(mark(SENT_FROM_PHONE[settings.language]))
    return replace(incoming, marks=tuple(marks)) if marks else incoming


IN_RULES: tuple[InRule, ...] = (
    drop_own_echo,
    keep_out_listed,
    import_only_on_request,
    take_signature_off,
    open_with_marks,
)


def decide_incoming(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """What enters amoCRM, or the rule that keeps it out."""
    for rule in IN_RULES:
        verdict = rule(incoming, settings)
        if isinstance(verdict, Ignored):
            return verdict
        incoming = verdict
    return incoming


def _unsigned(content: Content, signatures: Signatures) -> Content:
    match content:
        case Text(text):
            bare = signatures.without(text)
            return content if bare == text or not bare else Text(bare)
        case Media(caption=caption):
            bare = signatures.without(caption)
            return content if bare == caption else replace(content, caption=bare)
        case _:
            return content
