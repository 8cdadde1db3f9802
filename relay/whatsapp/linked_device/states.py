"""What each event of a session means: the state it is in, why, and what to do next. One table."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from google.protobuf.message import Message

from relay.domain.retry import HOUR, MINUTE, SECOND
from relay.domain.session import SessionState
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.protobufs import parse


class Then(enum.Enum):
    """What follows."""

    STAY = "stay"  # the client goes on, by itself
    AGAIN = "again"  # stop it and connect again, with backoff
    REST = "rest"  # stop it and wait a set time
    PAIR = "pair"  # stop it and wait for a pairing


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a session after an event, the reason for a person, and what follows."""

    state: SessionState
    reason: str
    then: Then = Then.STAY
    rest_ms: int = 0


REPLACED_REST_MS = 15 * MINUTE
OUTDATED_REST_MS = 6 * HOUR
_LONGEST_BAN_MS = 30 * 24 * HOUR  # a longer one is a garbled number; asking once a month is no harm

ENDED = Verdict(
    SessionState.RECONNECTING, "the library's event stream ended; starting it again", Then.AGAIN
)
OFFLINE = Verdict(SessionState.RECONNECTING, "offline for too long; starting afresh", Then.AGAIN)
UNLINKED = Verdict(SessionState.UNPAIRED, "unlinked by relay unpair", Then.PAIR)
BROKEN = Verdict(
    SessionState.FAILED, "an event could not be handed over; starting afresh", Then.AGAIN
)

_TABLE: dict[Code, Verdict] = {
    Code.CONNECTED: Verdict(SessionState.CONNECTED, "connected"),
    Code.KEEPALIVE_RESTORED: Verdict(SessionState.CONNECTED, "WhatsApp answers again"),
    Code.KEEPALIVE_TIMEOUT: Verdict(SessionState.RECONNECTING, "WhatsApp does not answer"),
    Code.DISCONNECTED: Verdict(SessionState.RECONNECTING, "the connection was lost"),
    Code.CONNECT_FAILURE: Verdict(
        SessionState.RECONNECTING, "WhatsApp refused the connection", Then.AGAIN
    ),
    Code.LOGGED_OUT: Verdict(
        SessionState.LOGGED_OUT, "the device was removed on the phone; pair it again", Then.PAIR
    ),
    Code.QR: Verdict(SessionState.UNPAIRED, "the session's file holds no device", Then.PAIR),
    Code.STREAM_REPLACED: Verdict(
        SessionState.REPLACED,
        "the same session was opened elsewhere; two relays on one session?",
        Then.REST,
        REPLACED_REST_MS,
    ),
    Code.TEMPORARY_BAN: Verdict(
        SessionState.BANNED, "WhatsApp has banned the number for a while", Then.REST
    ),
    Code.CLIENT_OUTDATED: Verdict(
        SessionState.OUTDATED,
        "WhatsApp no longer accepts this version; the relay must be upgraded",
        Then.REST,
        OUTDATED_REST_MS,
    ),
}

_BAN_REASONS = {
    1: "messages to too many strangers",
    2: "blocked by too many people",
    3: "too many groups with strangers",
    4: "the same message to too many people",
    5: "too many messages to a broadcast list",
}


_LOGOUTS = {
    4: "WhatsApp has ended the session: the account was locked, or moved to another phone; look at"
    " the phone, then pair it again",
    5: "WhatsApp has ended the session, as it does with a banned account; look at the phone, then"
    " pair it again",
}
"""By the library's numbers for WhatsApp's 403 (MAIN_DEVICE_GONE) and 406 (UNKNOWN_LOGOUT)."""


def verdict_on(code: int, data: bytes) -> Verdict | None:
    """What an event of the session means; None if it says nothing about the session.

    Raises:
        ValueError: the event cannot be read.
    """
    try:
        row = _TABLE.get(Code(code))
    except ValueError:
        return None
    match row:
        case Verdict(state=SessionState.BANNED):
            return _ban(row, parse("TemporaryBan", data))
        case Verdict(state=SessionState.LOGGED_OUT):
            return _logged_out(row, data)
        case Verdict() if code == Code.CONNECT_FAILURE:
            failure = parse("ConnectFailure", data)
            number = int(getattr(failure, "Reason", 0))
            return Verdict(row.state, f"{row.reason} (reason {number})", row.then)
    return row


def _ban(row: Verdict, ban: Message) -> Verdict:
    why = _BAN_REASONS.get(int(getattr(ban, "Code", 0)), "no reason known")
    seconds = max(0, int(getattr(ban, "Expire", 0)))
    rest_ms = min(max(seconds * SECOND, MINUTE), _LONGEST_BAN_MS)
    return replace(row, reason=f"{row.reason}: {why}", rest_ms=rest_ms)


def _logged_out(row: Verdict, data: bytes) -> Verdict:
    """Whatever WhatsApp gave as its reason: the keys are gone."""
    try:
        number = int(getattr(parse("LoggedOut", data), "Reason", 0))
    except ValueError:
        return row
    return replace(row, reason=_LOGOUTS.get(number, row.reason))


def not_begun(words: str) -> Verdict:
    """The library could not connect; its own words say why."""
    return Verdict(SessionState.RECONNECTING, f"cannot connect: {words}", Then.AGAIN)


def dated(verdict: Verdict, now_ms: int) -> Verdict:
    """A verdict that demands a rest says until when."""
    if verdict.then is not Then.REST:
        return verdict
    end = datetime.fromtimestamp((now_ms + verdict.rest_ms) / 1000, UTC)
    words = "until" if verdict.state is SessionState.BANNED else "tried again at"
    return replace(verdict, reason=f"{verdict.reason}; {words} {end.isoformat(timespec='seconds')}")
