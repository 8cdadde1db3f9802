"""The table of what each event of a session means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.retry import HOUR, MINUTE
from relay.domain.session import SessionState
from relay.whatsapp.linked_device import protobufs, states
from relay.whatsapp.linked_device.events import HANDED_OVER, SUBSCRIBED, Code
from relay.whatsapp.linked_device.states import Then, verdict_on


def ban(code: int, seconds: int) -> bytes:
    data: bytes = protobufs.load().TemporaryBan(Code=code, Expire=seconds).SerializeToString()
    return data


def failure(reason: int) -> bytes:
    module = protobufs.load()
    event = module.ConnectFailure(Reason=reason, Message="")
    event.Raw.SetInParent()
    event.Raw.Tag = "failure"
    for field in event.Raw.DESCRIPTOR.fields:
        if field.name.startswith("Nil"):
            setattr(event.Raw, field.name, True)
    data: bytes = event.SerializePartialToString()
    return data


@pytest.mark.parametrize(
    ("code", "data", "state", "then"),
    [
        (Code.CONNECTED, b"", SessionState.CONNECTED, Then.STAY),
        (Code.KEEPALIVE_TIMEOUT, b"", SessionState.RECONNECTING, Then.STAY),
        (Code.KEEPALIVE_RESTORED, b"", SessionState.CONNECTED, Then.STAY),
        (Code.DISCONNECTED, b"", SessionState.RECONNECTING, Then.STAY),
        (Code.LOGGED_OUT, b"", SessionState.LOGGED_OUT, Then.PAIR),
        (Code.QR, b"", SessionState.UNPAIRED, Then.PAIR),
        (Code.STREAM_REPLACED, b"", SessionState.REPLACED, Then.REST),
        (Code.TEMPORARY_BAN, ban(2, 60), SessionState.BANNED, Then.REST),
        (Code.CLIENT_OUTDATED, b"", SessionState.OUTDATED, Then.REST),
        (Code.CONNECT_FAILURE, failure(9), SessionState.RECONNECTING, Then.AGAIN),
    ],
)
def test_each_event_has_its_row(code: Code, data: bytes, state: SessionState, then: Then) -> None:
    """What happened, what follows, and always a reason."""
    verdict = verdict_on(code, data)
    assert verdict is not None
    assert (verdict.state, verdict.then) == (state, then)
    assert verdict.reason


@pytest.mark.parametrize(
    ("reason", "words"),
    [(2, "removed on the phone"), (4, "locked"), (5, "banned")],
)
def test_a_logout_says_why(reason: int, words: str) -> None:
    """401, 403 and 406 of WhatsApp: the keys are gone each time, but not for the same reason."""
    event = protobufs.load().LoggedOut(OnConnect=True, Reason=reason)
    verdict = verdict_on(Code.LOGGED_OUT, event.SerializeToString())
    assert verdict is not None
    assert (verdict.state, verdict.then) == (SessionState.LOGGED_OUT, Then.PAIR)
    assert words in verdict.reason
    assert "pair it again" in verdict.reason


def test_a_rest_says_until_when() -> None:
    """As a time, which stays true while it is read; what goes on by itself has none."""
    verdict = verdict_on(Code.TEMPORARY_BAN, ban(1, 3600))
    assert verdict is not None
    reason = states.dated(verdict, 1_770_000_000_000).reason
    assert reason.endswith("messages to too many strangers; until 2026-02-02T03:40:00+00:00")
    assert states.dated(states.OFFLINE, 0) is states.OFFLINE


def test_every_event_we_subscribe_to_is_used() -> None:
    """What is subscribed is either kept in the journal or has a row in the table.

    What is withheld nobody can subscribe to: a line of the log tells of it.
    """
    rows = {Code.CONNECTED, Code.KEEPALIVE_TIMEOUT, Code.KEEPALIVE_RESTORED, Code.LOGGED_OUT}
    rows |= {Code.STREAM_REPLACED, Code.CLIENT_OUTDATED, Code.DISCONNECTED}
    rows |= {Code.TEMPORARY_BAN, Code.CONNECT_FAILURE}
    assert set(SUBSCRIBED) == rows | HANDED_OVER - {Code.WITHHELD}


def test_other_events_say_nothing() -> None:
    """An event of another code does not touch the session."""
    assert verdict_on(13, b"") is None
    assert verdict_on(Code.MESSAGE, b"") is None


def test_the_refusal_names_its_number() -> None:
    """An unknown refusal can be looked up: its number is in the reason."""
    verdict = verdict_on(Code.CONNECT_FAILURE, failure(9))
    assert verdict is not None
    assert "(reason 9)" in verdict.reason


@given(st.integers(1, 5), st.integers(-(2**40), 2**40))
def test_a_ban_is_always_waited_out_within_reason(code: int, seconds: int) -> None:
    """Whatever WhatsApp says, the wait is neither a hammering nor for ever."""
    verdict = verdict_on(Code.TEMPORARY_BAN, ban(code, seconds))
    assert verdict is not None
    assert MINUTE <= verdict.rest_ms <= 30 * 24 * HOUR
    if 60 <= seconds <= 30 * 24 * 3600:
        assert verdict.rest_ms == seconds * 1000


def test_rests_are_long() -> None:
    """Replaced and outdated sessions are not tried every few seconds."""
    assert states.REPLACED_REST_MS >= 10 * MINUTE
    assert states.OUTDATED_REST_MS >= HOUR
