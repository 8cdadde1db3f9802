"""One WhatsApp number each: the two kinds of channels, and how they are told apart."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from relay.config.errors import nearest
from relay.config.fields import (
    Bounded,
    Digits,
    DurationOrOffMs,
    Line,
    Optional,
    Part,
    Phone,
    ProxyUrl,
    SecretText,
    ShortOrOffMs,
    Url,
    Whole,
    choice,
)
from relay.config.tree import Scalar
from relay.domain.pacing import Pace

ENGINES: Final = ("linked_device", "cloud_api")
_PACE: Final = Pace()


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
    typing_ms: ShortOrOffMs = Field(None, alias="typing", json_schema_extra={"default": "off"})
    """For how long typing is shown before each message, up to 10s, or `off`."""


class LinkedDevice(AnyChannel):
    """A WhatsApp Web session, paired by QR or phone code."""

    engine: Annotated[Literal["linked_device"], choice(*ENGINES)]
    """How the channel reaches WhatsApp, `linked_device` or `cloud_api`."""
    phone: Phone | None = None
    """The number; pairing another one is refused."""
    proxy: ProxyUrl | None = None
    """A proxy for the session, `socks5://`, `http://` or `https://`."""
    import_history_ms: DurationOrOffMs = Field(
        None, alias="import_history", json_schema_extra={"default": "off"}
    )
    """How far back to import what WhatsApp hands over at pairing, or `off`."""
    pacing: Optional[Pacing] = Pacing()
    """A guard against bans: how carefully the channel writes to people who never wrote."""


class CloudApi(AnyChannel):
    """A number on the WhatsApp Business Platform (Meta)."""

    engine: Annotated[Literal["cloud_api"], choice(*ENGINES)]
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


ONLY_CLOUD_API: Final = frozenset(CloudApi.model_fields.keys() - LinkedDevice.model_fields.keys())
"""The keys by which a channel without an engine is known."""


def _engine_of(value: Any) -> str:
    """Which engine's channel this is; guessed by its keys where `engine` does not say it."""
    if isinstance(value, AnyChannel):
        return "cloud_api" if isinstance(value, CloudApi) else "linked_device"
    keys: dict[str, Any] = value if isinstance(value, dict) else {}
    engine = keys.get("engine")
    name = engine.text if isinstance(engine, Scalar) else engine
    meant = nearest(name, ENGINES) if isinstance(name, str) else None
    return meant or ("cloud_api" if keys.keys() & ONLY_CLOUD_API else "linked_device")


Channel = Annotated[
    Annotated[LinkedDevice, Tag("linked_device")] | Annotated[CloudApi, Tag("cloud_api")],
    Discriminator(_engine_of),
]
"""One WhatsApp number."""
