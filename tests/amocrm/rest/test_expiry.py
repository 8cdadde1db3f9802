"""A long-lived token's end is seen coming."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.rest.expiry import WARNED_MS, ExpiryWatch, expiry_ms
from relay.domain.retry import DAY
from tests.amocrm.doubles import credentials
from tests.clock import HandClock, settle

# The vector of the reference: header and claims of a widget's token, exp 1770115530.
VECTOR = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2RlbW8uYW1vY3JtLnJ1IiwiYXVkIjoiaHR0"
    "cHM6Ly9yZWxheS5leGFtcGxlIiwianRpIjoiMDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxIiwiaWF0Ij"
    "oxNzcwMTEzNzMwLCJuYmYiOjE3NzAxMTM3MzAsImV4cCI6MTc3MDExNTUzMCwiYWNjb3VudF9pZCI6MTIzLCJ1c2VyX2lk"
    "Ijo0NTYsInN1YmRvbWFpbiI6ImRlbW8iLCJjbGllbnRfdXVpZCI6IjIyMjIyMjIyLTMzMzMtNDQ0NC04NTU1LTY2NjY2NjY"
    "2NjY2NiJ9.rCiHMhxhFn8E-EUlp0qibhv7WYQ758nzEmZJh72-Y-8"
)


def token_until(end_ms: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": end_ms // 1000}).encode())
    return f"h.{claims.decode().rstrip('=')}.s"


def test_the_end_is_read_from_the_claims() -> None:
    """Without the key: nobody but amoCRM needs to verify it."""
    assert expiry_ms(VECTOR) == 1770115530_000


@pytest.mark.parametrize(
    "claims", [b"{}", b"[]", b'{"exp":"5"}', b'{"exp":-1}', b'{"exp":1e400}', b"[" * 9999, b"\xff"]
)
def test_claims_without_an_end_tell_nothing(claims: bytes) -> None:
    """No guess is made."""
    assert expiry_ms(f"h.{base64.urlsafe_b64encode(claims).decode()}.s") is None


@given(st.text() | st.text(alphabet="ab.-_=A1", max_size=30))
def test_anything_may_be_a_token(token: str) -> None:
    """What is no JWT tells nothing, and is no error."""
    assert expiry_ms(token) is None or token.count(".") == 2


async def test_weeks_ahead_every_day() -> None:
    """From thirty days before the end on there is a line a day, then an error a day."""
    clock = HandClock()
    held = CredentialsHolder(credentials(token=token_until(clock.now_ms() + WARNED_MS + DAY)))
    watch = ExpiryWatch(held, clock)
    with capture_logs() as logs:
        task = asyncio.create_task(watch.run())
        await settle()
        for _ in range(3):
            await clock.advance_ms(DAY)
        told = [(line["log_level"], line["event"], line["days"]) for line in logs]
        assert told == [("warning", "token_expires", 29), ("warning", "token_expires", 28)]
        logs.clear()
        await clock.advance_ms(WARNED_MS - DAY)
        assert [line["log_level"] for line in logs][-2:] == ["error", "error"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_new_token_ends_the_warnings() -> None:
    """It is looked at as soon as it is in force."""
    clock = HandClock()
    held = CredentialsHolder(credentials(token=token_until(clock.now_ms() + DAY)))
    watch = ExpiryWatch(held, clock)
    with capture_logs() as logs:
        task = asyncio.create_task(watch.run())
        await settle()
        assert len(logs) == 1
        held.current = credentials(token=token_until(clock.now_ms() + 2 * WARNED_MS))
        watch.wake()
        await clock.advance_ms(5 * DAY)
        assert len(logs) == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
