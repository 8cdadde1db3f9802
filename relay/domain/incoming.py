"""What becomes of a WhatsApp message on its way into amoCRM: one pure function a rule, in order.

A rule takes what is being decided and the settings, and returns it (perhaps changed) or a verdict
that ends the matter. To add a rule, write the function and put its name into the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relay.domain.message import Origin, Received
from relay.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing enters the other side, and nobody is told. ``rule`` names the rule in the log."""

    rule: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A WhatsApp message on its way into amoCRM. ``sent_by_us``: the relay itself sent it."""

    message: Received
    sent_by_us: bool = False


InRule = Callable[[Incoming, Settings], Incoming | Ignored]


def drop_own_echo(incoming: Incoming, _: Settings) -> Incoming | Ignored:
    """A message that the relay itself sent never comes back as one typed on the phone."""
    return Ignored("sent_by_relay") if incoming.sent_by_us else incoming


def import_only_on_request(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """Messages typed on the phone enter amoCRM only with ``import_sent_from_phone``."""
    if incoming.message.origin is Origin.PHONE and not settings.import_sent_from_phone:
        return Ignored("sent_from_phone")
    return incoming


IN_RULES: tuple[InRule, ...] = (drop_own_echo, import_only_on_request)


def decide_incoming(incoming: Incoming, settings: Settings) -> Incoming | Ignored:
    """What enters amoCRM, or the rule that keeps it out."""
    for rule in IN_RULES:
        verdict = rule(incoming, settings)
        if isinstance(verdict, Ignored):
            return verdict
        incoming = verdict
    return incoming
