"""What becomes of a message written in amoCRM on its way out: one pure function a rule, in order.

A rule takes what is being decided and the settings, and returns it (perhaps changed) or a verdict
that ends the matter. To add a rule, write the function and put its name into the list.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import field, replace

from relay.domain.contents import Media, Text, Unsupported
from relay.domain.ids import ClientAddress, OwnNumber
from relay.domain.message import Failure, Written
from relay.domain.phone import normalise
from relay.domain.reasons import Reason
from relay.domain.routing import Crossing, Manager, Other, Writer, route
from relay.domain.settings import Channel, Settings
from relay.domain.signing import length, sign
from relay.domain.values import value


@value
class Refused:
    """Nothing is sent, and the manager is told why.

    ``limit``: the number of characters that is the limit, where the reason names one. ``asked``:
    what was refused, if the client is known by then.
    """

    reason: Reason
    failure: Failure = Failure.OTHER
    channel_title: str = ""
    limit: int = 0
    asked: Outgoing | None = field(default=None, compare=False)


@value
class Undecided:
    """It cannot be said yet. If its time is over before it can, ``refusal`` is what is told."""

    refusal: Refused


@value
class Outgoing:
    """A manager's message on its way out.

    ``own`` and ``to`` are the chat's, if it has any yet; ``phone`` (digits) is the client's number
    as far as WhatsApp has told it. ``wrote``: the client has written himself, to that number of
    ours. ``absent``: numbers of which WhatsApp has lately said that they are not there.
    """

    written: Written
    writer: Writer = Other.ROBOT
    own: OwnNumber | None = None
    to: ClientAddress | None = None
    phone: str | None = None
    channel: Channel | None = None
    wrote: bool = False
    absent: Container[str] = ()

    def by(self, writer: Writer) -> Outgoing:
        """The same, written by that one. (In full: every message asks, and ``replace`` is dear.)"""
        return Outgoing(
            self.written,
            writer,
            self.own,
            self.to,
            self.phone,
            self.channel,
            self.wrote,
            self.absent,
        )

    def through(self, channel: Channel) -> Outgoing:
        """The same, through that channel."""
        return Outgoing(
            self.written,
            self.writer,
            self.own,
            self.to,
            self.phone,
            channel,
            self.wrote,
            self.absent,
        )


Verdict = Outgoing | Refused | Undecided
OutRule = Callable[[Outgoing, Settings], Verdict]


def refuse_outsiders(outgoing: Outgoing, _: Settings) -> Verdict:
    """A user of amoCRM who is not in the file cannot send."""
    return Refused(Reason.MAY_NOT_SEND) if outgoing.writer is Other.OUTSIDER else outgoing


def choose_channel(outgoing: Outgoing, settings: Settings) -> Verdict:
    """As the table of :mod:`relay.domain.routing` says."""
    own = settings.channel_of(outgoing.own) if outgoing.own else None
    source = outgoing.written.source
    chosen = settings.channel_of(source) if source else None
    crossing = Crossing(
        own=own.id if own else None,
        chosen=chosen.id if chosen else None,
        default=settings.default_channel,
    )
    id_ = route(outgoing.writer, crossing)
    channel = settings.channels.get(id_) if id_ else None
    if channel is None:
        return Refused(Reason.NO_CHANNEL)
    return outgoing.through(channel)


def wait_for_pairing(outgoing: Outgoing, _: Settings) -> Verdict:
    """Until a channel has told its number, nobody can say which conversation that would be."""
    channel = outgoing.channel
    if channel is None or channel.own is not None:
        return outgoing
    return Undecided(Refused(Reason.NEVER_PAIRED, channel_title=channel.title))


def find_client(outgoing: Outgoing, _: Settings) -> Verdict:
    """To the chat's client through the chat's own number, else to his telephone number.

    A hidden address may mean nothing to another number of ours, so there it is never used. A chat
    that amoCRM started goes to the number in the card, whatever its notation.
    """
    own = outgoing.channel.own if outgoing.channel else None
    if outgoing.to is not None and outgoing.own == own:
        return outgoing
    digits = outgoing.phone or normalise(outgoing.written.phone or "", own)
    if digits is None:
        return Refused(Reason.NO_PHONE if outgoing.to is None else Reason.HIDDEN_PHONE)
    same = outgoing.phone is not None  # the number in the card may be somebody else's
    return replace(outgoing, to=ClientAddress(digits), wrote=outgoing.wrote and same)


def refuse_unsupported(outgoing: Outgoing, _: Settings) -> Verdict:
    """What the relay cannot carry is refused with a reason, never dropped in silence."""
    content = outgoing.written.content
    if isinstance(content, Unsupported) or (isinstance(content, Media) and content.at is None):
        return Refused(Reason.UNSUPPORTED)
    return outgoing


def refuse_absent(outgoing: Outgoing, _: Settings) -> Verdict:
    """A number known not to be on WhatsApp is not tried again, unless the client has written."""
    if not outgoing.wrote and outgoing.to in outgoing.absent:
        return Refused(Reason.NOT_ON_WHATSAPP, Failure.NO_SUCH_CLIENT, asked=outgoing)
    return outgoing


def sign_it(outgoing: Outgoing, _: Settings) -> Verdict:
    """A manager's words go out with his signature; a robot has none."""
    if not isinstance(outgoing.writer, Manager) or not outgoing.writer.signature:
        return outgoing
    content = sign(outgoing.written.content, outgoing.writer.signature)
    return replace(outgoing, written=replace(outgoing.written, content=content))


def refuse_too_long(outgoing: Outgoing, _: Settings) -> Verdict:
    """What WhatsApp would not take whole is refused: half a message helps nobody.

    It is not split: amoCRM knows one message, with one status, that may be edited and quoted.
    """
    content, channel = outgoing.written.content, outgoing.channel
    if channel is None:
        return outgoing
    limit = channel.longest_text if isinstance(content, Text) else channel.longest_caption
    return Refused(Reason.TOO_LONG, limit=limit) if length(content) > limit else outgoing


OUT_RULES: tuple[OutRule, ...] = (
    refuse_outsiders,
    choose_channel,
    refuse_unsupported,
    wait_for_pairing,
    find_client,
    refuse_absent,
    sign_it,
    refuse_too_long,
)


def decide_outgoing(outgoing: Outgoing, settings: Settings) -> Verdict:
    """What is sent and through which channel, or why not, or why that cannot be said yet."""
    for rule in OUT_RULES:
        verdict = rule(outgoing, settings)
        if not isinstance(verdict, Outgoing):
            return verdict
        outgoing = verdict
    return outgoing
