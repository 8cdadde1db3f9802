"""The settings the rules read: the part of the file that acts on messages."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.domain.blacklist import Blacklist
from relay.domain.ids import ChannelId, CrmPersonId, OwnNumber
from relay.domain.pacing import Pace
from relay.domain.retry import DAY, HOUR
from relay.domain.signatures import Signatures


class Language(enum.StrEnum):
    """The language of texts the relay itself puts into a chat or shows a manager."""

    RU = "ru"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as the rules see it. ``own`` is None until its number is known.

    ``pace``: for messages to people who never wrote; None where the relay need not care.
    """

    id: ChannelId
    title: str
    own: OwnNumber | None = None
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the rules need, as of one moment; a reload makes a new one.

    ``bot``: the channel's bot in amoCRM, in whose name the relay writes there. ``signatures``: all
    that a message out of amoCRM may end with.
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
    bot: CrmPersonId | None = None
    signatures: Signatures = field(default_factory=Signatures)
    give_up_amocrm_ms: int = DAY
    give_up_whatsapp_ms: int = HOUR

    def channel_of(self, own: OwnNumber) -> Channel | None:
        """The channel that holds this number now, whatever it is called."""
        return next((c for c in self.channels.values() if c.own == own), None)
