"""Why a message did not reach its client: the reasons a manager may be told."""

from __future__ import annotations

import enum
from typing import Final

from relay.domain.session import SessionState


class Reason(enum.StrEnum):
    """Why a message did not reach its client, for a manager's eyes."""

    NOT_ON_WHATSAPP = "not_on_whatsapp"
    REFUSED = "refused_by_whatsapp"
    EXPIRED = "expired"
    OUTCOME_UNKNOWN = "outcome_unknown"
    COLD_LIMIT = "cold_limit"
    COLD_CLOSED = "cold_closed"
    NO_CHANNEL = "no_channel"
    NEVER_PAIRED = "never_paired"
    NO_PHONE = "no_phone"
    HIDDEN_PHONE = "hidden_phone"
    MAY_NOT_SEND = "may_not_send"
    AUTHOR_UNKNOWN = "author_unknown"
    TOO_LONG = "too_long"
    UNPAIRED = "unpaired"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    REPLACED = "replaced"
    OUTDATED = "outdated"
    NO_CONNECTION = "no_connection"
    SESSION_FAILED = "session_failed"
    CHANNEL_REMOVED = "channel_removed"
    UNSUPPORTED = "unsupported"
    FILE_MISSING = "file_missing"
    INTERNAL = "internal"


LATE: Final = {
    SessionState.STARTING: Reason.NO_CONNECTION,
    SessionState.UNPAIRED: Reason.UNPAIRED,
    SessionState.CONNECTING: Reason.NO_CONNECTION,
    SessionState.CONNECTED: Reason.EXPIRED,
    SessionState.RECONNECTING: Reason.NO_CONNECTION,
    SessionState.LOGGED_OUT: Reason.LOGGED_OUT,
    SessionState.REPLACED: Reason.REPLACED,
    SessionState.BANNED: Reason.BANNED,
    SessionState.OUTDATED: Reason.OUTDATED,
    SessionState.FAILED: Reason.SESSION_FAILED,
    SessionState.STOPPED: Reason.NO_CONNECTION,
}
"""What a manager is told whose message's time was over while the channel's session stood so."""
