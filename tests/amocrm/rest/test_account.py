"""Which account the token opens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import RefusedError, UnreachableError
from relay.amocrm.rest.account import Account, AccountReader
from tests.amocrm.doubles import ACCOUNT, TOKEN, credentials
from tests.amocrm.rest.rig import rig_of
from tests.amocrm.servers import fake_host, raw_host

ANSWER = json.dumps(
    {"id": 123, "name": "Demo", "subdomain": "demo", "amojo_id": ACCOUNT, "country": "RU"}
).encode()


@asynccontextmanager
async def reader_of(
    url: str, held: CredentialsHolder | None = None
) -> AsyncIterator[tuple[AccountReader, CredentialsAlarm]]:
    async with rig_of(url, held) as rig:
        yield AccountReader(rig.rest, rig.alarm), rig.alarm


async def test_account_is_read() -> None:
    """The token is shown as a bearer, amojo_id is asked for, the alarm is lifted."""
    async with fake_host() as host, reader_of(host.url + "/") as (reader, alarm):
        alarm.refused(Credential.TOKEN, "before")
        host.say(200, ANSWER, Content_Type="application/hal+json")
        assert await reader.read() == Account(123, ACCOUNT, "demo", "Demo")
        assert not alarm.standing
    assert host.seen[0].method == "GET"
    assert host.seen[0].path == "/api/v4/account?with=amojo_id"
    assert host.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_refused(status: int) -> None:
    """A refused token is a refusal with a reason an operator can act upon, and an alarm."""
    async with fake_host() as host, reader_of(host.url) as (reader, alarm):
        host.say(status, b"{}")
        with pytest.raises(RefusedError, match=f"amoCRM answered {status}: "):
            await reader.read()
        assert [refusal.credential for refusal in alarm.standing] == [Credential.TOKEN]


@pytest.mark.parametrize("status", [204, 301, 404, 429, 500, 504])
async def test_unreachable(status: int) -> None:
    """Any other status is no answer to the question, and no alarm."""
    async with fake_host() as host, reader_of(host.url) as (reader, alarm):
        host.say(status)
        with pytest.raises(UnreachableError, match=str(status)):
            await reader.read()
        assert not alarm.standing


async def test_reset_is_unreachable() -> None:
    """A broken connection is no answer."""
    async with raw_host(b"", reset=True) as url, reader_of(url) as (reader, _):
        with pytest.raises(UnreachableError):
            await reader.read()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"[" * 50_000,
        b'{"id":1}',
        b'{"id":"1","amojo_id":"x"}',
        b'{"id":1,"amojo_id":""}',
        b'{"id":1,"amojo_id":null}',
    ],
)
async def test_answer_that_describes_no_account(body: bytes) -> None:
    """A 200 without id and amojo_id does not come from amoCRM."""
    async with fake_host() as host, reader_of(host.url) as (reader, _):
        host.say(200, body)
        with pytest.raises(UnreachableError):
            await reader.read()


async def test_names_may_be_missing() -> None:
    """Only the two ids are demanded."""
    async with fake_host() as host, reader_of(host.url) as (reader, _):
        host.say(200, b'{"id":1,"amojo_id":"x","name":null}')
        assert await reader.read() == Account(1, "x", "", "")


@pytest.mark.parametrize("token", ["", "two\nlines", "кириллица"])
async def test_token_that_is_none(token: str) -> None:
    """A token that cannot be one is refused before anything is sent."""
    held = CredentialsHolder(credentials(token=token))
    async with fake_host() as host, reader_of(host.url, held) as (reader, alarm):
        with pytest.raises(RefusedError):
            await reader.read()
        assert host.seen == []
        assert len(alarm.standing) == 1
