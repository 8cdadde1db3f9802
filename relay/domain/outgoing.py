"""What becomes of a message written in amoCRM on its way out: one pure function a rule, in order.

A rule takes what is being decided and the settings, and returns it (perhaps changed) or a verdict
that ends the matter. To add a rule, write the function and put its name into the list.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from relay.domain.contents import Text
from relay.domain.ids import ClientAddress, OwnNumber
from relay.domain.message import Failure, Written
from relay.domain.phone import normalise
from relay.domain.settings import Channel, Settings
from relay.domain.texts import Reason


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is sent, and the manager is told why."""

    reason: Reason
    failure: Failure = Failure.OTHER
    channel_title: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A manager's message on its way out. ``own`` and ``to`` are the chat's, if it has any yet.

    ``wrote``: the client has written himself. ``absent``: numbers of which WhatsApp has lately
    said that they are not there.
    """

    written: Written
    own: OwnNumber | None = None
    to: ClientAddress | None = None
    channel: Channel | None = None
    wrote: bool = False
    absent: Container[str] = ()


OutRule = Callable[[Outgoing, Settings], Outgoing | Refused]


def choose_channel(outgoing: Outgoing, settings: Settings) -> Outgoing | Refused:
    """The chat's own channel; for a chat without one, ``default_channel``."""
    channel = settings.channel_of(outgoing.own) if outgoing.own else None
    if channel is None and settings.default_channel is not None:
        channel = settings.channels.get(settings.default_channel)
    if channel is None:
        return Refused(Reason.NO_CHANNEL)
    if channel.own is None:
        return Refused(Reason.NEVER_PAIRED, channel_title=channel.title)
    return replace(outgoing, channel=channel)


def find_client(outgoing: Outgoing, _: Settings) -> Outgoing | Refused:
    """A chat that amoCRM started goes to the number in the card, whatever its notation."""
    if outgoing.to is not None:
        return outgoing
    own = outgoing.channel.own if outgoing.channel else None
    digits = normalise(outgoing.written.phone or "", own)
    if digits is None:
        return Refused(Reason.NO_PHONE)
    return replace(outgoing, to=ClientAddress(digits))


def refuse_unsupported(outgoing: Outgoing, _: Settings) -> Outgoing | Refused:
    """What the relay cannot carry is refused with a reason, never dropped in silence."""
    if not isinstance(outgoing.written.content, Text):
        return Refused(Reason.UNSUPPORTED)
    return outgoing


def refuse_absent(outgoing: Outgoing, _: Settings) -> Outgoing | Refused:
    """A number known not to be on WhatsApp is not tried again, unless the client has written."""
    if not outgoing.wrote and outgoing.to in outgoing.absent:
        return Refused(Reason.NOT_ON_WHATSAPP, Failure.NO_SUCH_CLIENT)
    return outgoing


OUT_RULES: tuple[OutRule, ...] = (choose_channel, find_client, refuse_unsupported, refuse_absent)


def decide_outgoing(outgoing: Outgoing, settings: Settings) -> Outgoing | Refused:
    """What is sent and through which channel, or why not."""
    for rule in OUT_RULES:
        verdict = rule(outgoing, settings)
        if isinstance(verdict, Refused):
            return verdict
        outgoing = verdict
    return outgoing
