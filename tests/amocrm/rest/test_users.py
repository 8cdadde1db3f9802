"""The users of the account, as the pretended amoCRM tells them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import ForbiddenError, UnreachableError
from relay.amocrm.rest.users import User, read_users
from relay.demo.pretended_amocrm import Identity, PretendedAmoCRM
from relay.demo.pretended_amocrm import User as CrmUser
from tests.amocrm.doubles import credentials
from tests.amocrm.rest.rig import Rig, rig_of
from tests.amocrm.servers import fake_host


@asynccontextmanager
async def crm_of(**identity: object) -> AsyncIterator[tuple[PretendedAmoCRM, Rig]]:
    async with PretendedAmoCRM(Identity(**identity)) as crm:  # type: ignore[arg-type]  # its fields
        held = CredentialsHolder(credentials(token=crm.identity.token))
        async with rig_of(crm.url, held) as rig:
            yield crm, rig


async def test_users_with_their_ids_in_the_chats() -> None:
    """Every user comes with his rights, and with his id in the chats if he has one yet."""
    async with crm_of() as (crm, rig):
        users = await read_users(rig.rest)
    assert users == [
        User(user.id, user.name, user.amojo_id, user.is_admin)  # type: ignore[arg-type]  # NewTypes
        for user in crm.identity.users
    ]


async def test_a_large_account_is_read_to_its_end() -> None:
    """More users than a page holds are all read."""
    people = tuple(CrmUser(n, f"U{n}", f"p-{n}") for n in range(1, 612))
    async with crm_of(users=people) as (crm, rig):
        users = await read_users(rig.rest)
        assert [user.id for user in users] == [user.id for user in people]
        assert len(crm.requests) == 3
        assert not crm.violations


async def test_only_an_administrator_may_ask() -> None:
    """A right token without the right is told apart from a wrong one."""
    async with crm_of(token_is_admin=False) as (_, rig):
        with pytest.raises(ForbiddenError):
            await read_users(rig.rest)
        assert not rig.alarm.standing


@pytest.mark.parametrize(
    ("users", "ids"),
    [
        ([{"id": 5}], [5]),
        ([{"id": 5, "amojo_id": "", "rights": None, "name": None}], [5]),
        ([{"id": 5, "amojo_id": "\ud800", "name": "\ud800"}], [5]),
        ([{"id": "5"}, {"name": "no id"}, 7, {"id": 6, "amojo_id": 8, "rights": []}], [6]),
    ],
)
async def test_odd_entries_hold_up_nobody(users: list[object], ids: list[int]) -> None:
    """What does not describe a user is passed over; what is missing of one is empty."""
    async with fake_host() as host, rig_of(host.url) as rig:
        host.say(200, json.dumps({"_embedded": {"users": users}}).encode())
        found = await read_users(rig.rest)
    assert [(user.id, user.person, user.is_admin) for user in found] == [
        (id_, None, False) for id_ in ids
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"_embedded":{"users":[]}}', b'{"_embedded":3}'])
async def test_an_account_without_users_is_none(body: bytes) -> None:
    """An empty answer must not make robots of all managers."""
    async with fake_host() as host, rig_of(host.url) as rig:
        host.say(200, body)
        with pytest.raises(UnreachableError):
            await read_users(rig.rest)
