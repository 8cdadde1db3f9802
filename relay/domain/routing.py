"""Who writes, and through which channel his message goes: one small decision, all in one place.

    the chat's own channel   a manager, if he is bound to it; a robot always
    the chosen source's      the same, for a chat that has no channel of its own
    else                     a manager: the first of his; a robot: the default channel

A chat whose number no channel of the file holds any more has no channel of its own. Nobody but
this table chooses: a channel that is not connected is waited for, never replaced by another.
"""

from __future__ import annotations

import enum

from relay.domain.ids import ChannelId
from relay.domain.values import value


@value
class Manager:
    """A user of amoCRM as the file has him.

    ``channels``: those he may send through, first choice first. ``signature`` goes under every
    message of his; empty: nothing does.
    """

    channels: tuple[ChannelId, ...]
    signature: str = ""


class Other(enum.Enum):
    """Who writes in amoCRM without being a manager of the file."""

    ROBOT = "robot"  # no user of the account: a Salesbot, an integration
    OUTSIDER = "outsider"  # a user of the account who is not in the file: he may not send


Writer = Manager | Other


@value
class Crossing:
    """Where a message may go, by name: ``own`` is the chat's, ``chosen`` the chosen source's."""

    own: ChannelId | None = None
    chosen: ChannelId | None = None
    default: ChannelId | None = None


def route(writer: Writer, crossing: Crossing) -> ChannelId | None:
    """The channel a writer's message goes through; None: there is none for him."""
    first = crossing.own or crossing.chosen
    match writer:
        case Manager(channels):
            return first if first in channels else next(iter(channels), None)
        case Other.ROBOT:
            return first or crossing.default
        case Other.OUTSIDER:
            return None
