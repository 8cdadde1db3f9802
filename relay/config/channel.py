"""One WhatsApp number each: the two kinds of channels, and how they are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from relay.config.errors import nearest
from relay.config.fields import (
    Bounded,
    Digits,
    DurationOrOffMs,
    Line,
    Optional,
    Phone,
    ProxyUrl,
    SecretText,
    ShortOrOffMs,
    Url,
    Whole,
    choice,
)
from relay.config.parts import OneOf, Part, entries, key
from relay.config.shapes import Leaf
from relay.config.tree import Scalar
from relay.domain.pacing import Pace

ENGINES: Final = ("linked_device", "cloud_api")
_PACE: Final = Pace()


def _engine(name: str) -> Leaf:
    """The word for a kind of channel; another one's may not stand in it."""
    return Leaf(choice(*ENGINES).reader, {"type": "string", "const": name})


class AnyChannel(Part):
    """What both engines' channels have."""

    title: Line
    """The channel's name for people."""
    pipeline_id: Whole | None = None
    """Where amoCRM puts new unsorted leads of this channel."""


class Pacing(Part):
    """How many messages may go to people who have never written, and how an answer shows."""

    per_minute: Bounded = _PACE.per_minute
    """Messages to people who never wrote: at most so many a minute, evenly spaced."""
    per_hour: Bounded = _PACE.per_hour
    """And at most so many within any hour."""
    per_day: Bounded = _PACE.per_day
    """And at most so many within any 24 hours."""
    typing_ms: ShortOrOffMs = key(default=None, name="typing", shown="off")
    """For how long typing is shown before each message, up to 10s, or `off`."""


class LinkedDevice(AnyChannel):
    """A WhatsApp Web session, paired by QR or phone code."""

    engine: Annotated[Literal["linked_device"], _engine("linked_device")]
    """How the channel reaches WhatsApp, `linked_device` or `cloud_api`."""
    phone: Phone | None = None
    """The number; pairing another one is refused."""
    proxy: ProxyUrl | None = None
    """A proxy for the session, `socks5://`, `http://` or `https://`."""
    import_history_ms: DurationOrOffMs = key(default=None, name="import_history", shown="off")
    """How far back to import what WhatsApp hands over at pairing, or `off`."""
    pacing: Optional[Pacing] = Pacing()
    """A guard against bans: how carefully the channel writes to people who never wrote."""


class CloudApi(AnyChannel):
    """A number on the WhatsApp Business Platform (Meta)."""

    engine: Annotated[Literal["cloud_api"], _engine("cloud_api")]
    """How the channel reaches WhatsApp, `linked_device` or `cloud_api`."""
    phone_number_id: Digits
    """Meta's id of the number (not the number itself)."""
    token: SecretText
    """A system user's access token."""
    app_secret: SecretText
    """The app's secret: Meta signs its webhooks with it."""
    verify_token: SecretText
    """The word Meta sends when the webhook's address is saved."""
    url: Url = "https://graph.facebook.com/v26.0"
    """The Graph API with its version."""


ONLY_CLOUD_API: Final = frozenset(entries(CloudApi).keys() - entries(LinkedDevice).keys())
"""The keys by which a channel without an engine is known."""


def _engine_of(keys: Mapping[str, Any]) -> str:
    """Which engine's channel this is; guessed by its keys where `engine` does not say it."""
    engine = keys.get("engine")
    name = engine.text if isinstance(engine, Scalar) else engine
    meant = nearest(name, ENGINES) if isinstance(name, str) else None
    return meant or ("cloud_api" if keys.keys() & ONLY_CLOUD_API else "linked_device")


Channel = Annotated[
    LinkedDevice | CloudApi,
    OneOf({"linked_device": LinkedDevice, "cloud_api": CloudApi}, _engine_of),
]
"""One WhatsApp number."""
