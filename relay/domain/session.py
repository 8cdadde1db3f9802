"""The state of a channel's WhatsApp session."""

from __future__ import annotations

import enum

from relay.domain.ids import OwnNumber
from relay.domain.values import value


class SessionState(enum.StrEnum):
    """Where a session stands. Only ``CONNECTED`` sends."""

    STARTING = "starting"
    UNPAIRED = "unpaired"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    LOGGED_OUT = "logged_out"
    REPLACED = "replaced"
    BANNED = "banned"
    OUTDATED = "outdated"
    FAILED = "failed"
    STOPPED = "stopped"


@value
class Session:
    """A channel's session as it is now. ``own`` is known once WhatsApp has told it."""

    state: SessionState
    reason: str
    since_ms: int
    own: OwnNumber | None = None
