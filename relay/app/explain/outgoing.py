"""The words about the rules out of amoCRM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from relay.app.explain.terms import Case, Said, ToClient
from relay.config.channel import LinkedDevice
from relay.config.tree import Path
from relay.config.values import DEFAULT, EVERYONE_ELSE, duration_text
from relay.domain.ids import ChannelId
from relay.domain.message import Failure
from relay.domain.outgoing import Outgoing, Refused, Undecided
from relay.domain.routing import Manager, Other
from relay.domain.trace import Step

OutStep = Step[Outgoing, Refused | Undecided]

_DEFAULT: Final[Path] = ("settings", "default_channel")


def user_key(case: Case, asked: ToClient) -> Path:
    """What in the file says who the writer is."""
    for key in (asked.user, EVERYONE_ELSE):
        if key is not None and key in case.config.users:
            return ("users", str(key))
    return ("users",)


def writer_name(case: Case, asked: ToClient) -> str:
    """Who writes, as the file calls him."""
    if asked.user is None:
        return "the robot"
    user = case.config.users.get(asked.user)
    return (user.name if user else None) or f"user {asked.user}"


def _outsiders(case: Case, asked: ToClient, step: OutStep) -> Said:
    if step.before.writer is Other.ROBOT:
        return Said("a robot needs no entry in users")
    name, key = writer_name(case, asked), user_key(case, asked)
    if step.ends:
        return Said(f"{name} is not in users, and there is no everyone_else", (key,))
    if key[-1] == EVERYONE_ELSE:
        return Said(f"{name} is not in users, and counts as everyone else", (key,))
    return Said(f"{name} may send", (key,))


def _channel(case: Case, asked: ToClient, step: OutStep) -> Said:
    after = step.after
    channel = after.channel.id if isinstance(after, Outgoing) and after.channel else None
    robot, name = step.before.writer is Other.ROBOT, writer_name(case, asked)
    keys: tuple[Path, ...] = (_DEFAULT,) if robot else ((*user_key(case, asked), "channels"),)
    if channel is None:
        why = "there is no default channel" if robot else f"{name} is bound to none"
        return Said(f"it goes through no channel: {why}", keys)
    first = asked.chat or asked.source
    what = "the chat's own channel" if asked.chat else "the channel of the chosen source"
    if channel == first:
        bound = () if robot else _binding(case, asked, channel)
        return Said(f"it goes through {channel}, {what}", bound)
    if robot:
        return Said(
            f"it goes through {channel}, the default channel", (*keys, ("channels", channel))
        )
    why = f": {name} is not bound to {first}, {what}" if first else ""
    words = f"it goes through {channel}, the first channel of {name}{why}"
    return Said(words, _binding(case, asked, channel))


def _binding(case: Case, asked: ToClient, channel: ChannelId) -> tuple[Path, ...]:
    """The item of the user's channels that means this one, and what ``default`` means."""
    key = user_key(case, asked)
    user = case.config.users[EVERYONE_ELSE if key[-1] == EVERYONE_ELSE else int(key[-1])]
    for index, name in enumerate(user.channels):
        if name == channel:
            return ((*key, "channels", index),)
        if name == DEFAULT and case.config.default_channel == channel:
            return ((*key, "channels", index), _DEFAULT)
    return ((*key, "channels"),)


def _supported(_: Case, __: ToClient, ___: OutStep) -> Said:
    return Said("WhatsApp takes text")


def _pairing(case: Case, _: ToClient, step: OutStep) -> Said:
    channel = step.before.channel
    id_ = channel.id if channel else ""
    if not step.ends:
        return Said(f"channel {id_} has a number")
    limit = duration_text(case.config.delivery.give_up_after.whatsapp_ms)
    keys: tuple[Path, ...] = (("channels", id_), ("delivery", "give_up_after", "whatsapp"))
    return Said(f"channel {id_} is not linked; it waits for that up to {limit}", keys)


def _client(_: Case, asked: ToClient, step: OutStep) -> Said:
    if not isinstance(step.after, Outgoing):
        return Said(f"{asked.phone} cannot be read as a telephone number")
    return Said(f"it goes to +{step.after.to}")


def _absent(_: Case, __: ToClient, step: OutStep) -> Said:
    if step.ends:
        return Said("WhatsApp has lately said that the number is not there")
    if step.before.wrote:
        return Said("the client has written, so the number is on WhatsApp")
    return Said("nothing is known against the number")


def _sign(case: Case, asked: ToClient, step: OutStep) -> Said:
    if not isinstance(step.before.writer, Manager):
        return Said("robots do not sign")
    key: Path = (*user_key(case, asked), "signature")
    return Said("the signature is put under it" if step.acts else "there is no signature", (key,))


def _long(_: Case, __: ToClient, step: OutStep) -> Said:
    if isinstance(step.after, Refused):
        return Said(f"it is longer than the {step.after.limit} characters that WhatsApp takes")
    return Said("it is not too long for WhatsApp")


OUT_WORDS: Final[dict[str, Callable[[Case, ToClient, OutStep], Said]]] = {
    "refuse_outsiders": _outsiders,
    "choose_channel": _channel,
    "refuse_unsupported": _supported,
    "wait_for_pairing": _pairing,
    "find_client": _client,
    "refuse_absent": _absent,
    "sign_it": _sign,
    "refuse_too_long": _long,
}
"""By the name of the rule; each function of ``OUT_RULES`` has its words here."""


def reply_words(case: Case, refused: Refused) -> Said | None:
    """What the chat gets besides the status; None if this failure is never answered there."""
    if refused.failure is not Failure.NO_SUCH_CLIENT:
        return None
    key: Path = ("settings", "error_replies")
    if not case.settings.error_replies:
        return Said("the chat itself gets no word of it", (key,))
    label = case.settings.error_label
    return Said(f"the chat also gets a message, {label} and the reason", (key,))


def pace_words(case: Case, sent: Outgoing) -> Said | None:
    """What holds a message to somebody who never wrote; None if nothing does."""
    id_ = sent.channel.id if sent.channel else None
    channel = case.config.channels.get(id_) if id_ else None
    if sent.wrote or id_ is None or not isinstance(channel, LinkedDevice):
        return None
    pace = channel.pacing
    limits = f"{pace.per_minute} a minute, {pace.per_hour} an hour, {pace.per_day} a day"
    return Said(
        f"the client has not written, so it waits its turn: at most {limits}",
        (("channels", id_, "pacing"),),
    )
