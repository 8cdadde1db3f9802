"""The settings the rules read: the part of the file that acts on messages."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.pacing import Pace
from relay.domain.retry import DAY, HOUR


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
    """Everything the rules need, as of one moment; a reload makes a new one."""

    language: Language = Language.RU
    channels: Mapping[ChannelId, Channel] = field(default_factory=dict)
    default_channel: ChannelId | None = None
    import_sent_from_phone: bool = False
    phone_8_to_7: bool = False
    give_up_amocrm_ms: int = DAY
    give_up_whatsapp_ms: int = HOUR

    def channel_of(self, own: OwnNumber) -> Channel | None:
        """The channel that holds this number now, whatever it is called."""
        return next((c for c in self.channels.values() if c.own == own), None)
