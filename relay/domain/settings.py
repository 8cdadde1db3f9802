"""The settings the rules read: the part of the file that acts on messages."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field

from relay.domain.blacklist import Blacklist
from relay.domain.ids import ChannelId, CrmPersonId, OwnNumber, UserId
from relay.domain.pacing import Pace
from relay.domain.retry import DAY, HOUR
from relay.domain.routing import Manager, Other, Writer
from relay.domain.signatures import Signatures
from relay.domain.values import value

_LONGEST = 65_536  # characters of a text or caption; linked devices refuse to type more
_FEW = 8
_NOBODY = UserId(0)  # amoCRM counts its users from 1


class Language(enum.StrEnum):
    """The language of texts the relay itself puts into a chat or shows a manager."""

    RU = "ru"
    EN = "en"


@value
class Channel:
    """A channel as the rules see it. ``own`` is None until its number is known.

    ``pace``: for messages to people who never wrote; None where the relay need not care.
    ``longest_text`` and ``longest_caption``: so many characters WhatsApp takes, signature included.
    """

    id: ChannelId
    title: str
    own: OwnNumber | None = None
    pace: Pace | None = None
    longest_text: int = _LONGEST
    longest_caption: int = _LONGEST


@value
class Settings:
    """Everything the rules need, as of one moment; a reload makes a new one.

    ``bot``: the channel's bot in amoCRM, in whose name the relay writes there. ``signatures``: all
    that a message out of amoCRM may end with. ``users``: who of amoCRM's users may send, and how;
    ``everyone_else``: any other user. ``keep_deleted``: what a client takes back stays readable.
    """

    language: Language = Language.RU
    channels: Mapping[ChannelId, Channel] = field(default_factory=dict)
    default_channel: ChannelId | None = None
    import_sent_from_phone: bool = False
    phone_8_to_7: bool = False
    title_in_messages: frozenset[ChannelId] = frozenset()
    blacklist: Blacklist = field(default_factory=Blacklist)
    error_replies: bool = True
    error_label: str = "[GNZS ERROR]"
    keep_deleted: bool = True
    bot: CrmPersonId | None = None
    signatures: Signatures = field(default_factory=Signatures)
    give_up_amocrm_ms: int = DAY
    give_up_whatsapp_ms: int = HOUR
    users: Mapping[UserId, Manager] = field(default_factory=dict)
    everyone_else: Manager | None = None
    _by_number: Mapping[OwnNumber, Channel] = field(init=False, repr=False, compare=False)
    _writers: tuple[Writer, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make what is asked for every message a matter of one look."""
        channels = reversed(tuple(self.channels.values()))
        by_number = {channel.own: channel for channel in channels if channel.own is not None}
        object.__setattr__(self, "_by_number", by_number)
        object.__setattr__(self, "_writers", self._few_writers())

    def channel_of(self, own: OwnNumber) -> Channel | None:
        """The channel that holds this number now, whatever it is called."""
        return self._by_number.get(own)

    def writer(self, user: UserId | None) -> Writer:
        """What the file makes of a user of amoCRM; None is a robot."""
        if user is None:
            return Other.ROBOT
        return self.users.get(user) or self.everyone_else or Other.OUTSIDER

    def every_writer(self) -> tuple[Writer, ...]:
        """Everybody an unknown author may be; none, if those are too many to be tried."""
        return self._writers

    def _few_writers(self) -> tuple[Writer, ...]:
        writers: dict[Writer, None] = {Other.ROBOT: None, self.writer(_NOBODY): None}
        for manager in self.users.values():
            writers[manager] = None
            if len(writers) > _FEW:
                return ()
        return tuple(writers)
