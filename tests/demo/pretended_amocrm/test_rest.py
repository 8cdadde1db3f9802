"""Laws of REST: the token, the account, the users, contacts and the limit."""

from __future__ import annotations

import pytest

from relay.demo.pretended_amocrm import Phone, PretendedAmoCRM
from tests.demo.pretended_amocrm.peers import PHONE, Client, Clock


async def test_a_wrong_token_is_refused(server: PretendedAmoCRM, client: Client) -> None:
    """Without the right bearer every call is answered 401."""
    answer = await client.rest("GET", "account", token="stolen")
    assert (answer.status, server.violations[-1].code) == (401, "Unauthorized")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_rotated_token_is_the_only_one(server: PretendedAmoCRM, client: Client) -> None:
    """A token replaced at run time ends the old one's use."""
    server.rest.token = "fresh"
    assert (await client.rest("GET", "account")).status == 401
    assert (await client.rest("GET", "account", token="fresh")).status == 200


async def test_the_account_tells_its_amojo_id_when_asked(
    server: PretendedAmoCRM, client: Client
) -> None:
    """The amojo id comes with ``with=amojo_id`` only."""
    asked = await client.rest("GET", "account?with=amojo_id,version")
    assert asked.json["amojo_id"] == server.identity.amojo_id
    assert asked.json["id"] == server.identity.account_id
    assert asked.headers["Content-Type"] == "application/hal+json"
    assert "amojo_id" not in (await client.rest("GET", "account")).json


async def test_users_come_with_amojo_ids(server: PretendedAmoCRM, client: Client) -> None:
    """Users have amojo ids if asked for, null for who was never in the chats."""
    users = (await client.rest("GET", "users?with=amojo_id")).json["_embedded"]["users"]
    assert [(user["id"], user["amojo_id"]) for user in users] == [
        (user.id, user.amojo_id) for user in server.account.users
    ]
    assert None in {user["amojo_id"] for user in users}


async def test_users_are_for_administrators(server: PretendedAmoCRM, client: Client) -> None:
    """Who is no administrator may not list the users."""
    server.rest.token_is_admin = False
    assert (await client.rest("GET", "users")).status == 403


async def test_users_are_paged_by_links(server: PretendedAmoCRM, client: Client) -> None:
    """Pages follow the link to the next; the last has none; past the end is 204."""
    seen: list[int] = []
    link: str | None = f"{server.url}/api/v4/users?with=amojo_id&page=1&limit=2"
    while link:
        page = (await client.rest("GET", link.removeprefix(f"{server.url}/api/v4/"))).json
        seen += [user["id"] for user in page["_embedded"]["users"]]
        link = page["_links"].get("next", {}).get("href")
    assert seen == [17, 18, 19]
    assert (await client.rest("GET", "users?page=3&limit=2")).status == 204


@pytest.mark.parametrize("query", ["limit=251", "limit=0", "page=0", "page=x"])
async def test_a_page_has_its_bounds(server: PretendedAmoCRM, client: Client, query: str) -> None:
    """A page has one to 250 entries."""
    assert (await client.rest("GET", f"users?{query}")).status == 400


async def test_seven_requests_a_second(
    server: PretendedAmoCRM, client: Client, clock: Clock
) -> None:
    """With the limit on, the eighth request within a second is answered 429; a second later not."""
    statuses = [(await client.rest("GET", "account")).status for _ in range(8)]
    assert statuses == [200] * 7 + [429]
    clock.ms += 1000
    assert (await client.rest("GET", "account")).status == 200


async def test_the_limit_may_be_taken_off(server: PretendedAmoCRM, client: Client) -> None:
    """A sink for benchmarks does not count."""
    server.rest.limits.rps = None
    statuses = {(await client.rest("GET", "account")).status for _ in range(10)}
    assert statuses == {200}


async def test_who_goes_on_is_blocked(
    server: PretendedAmoCRM, client: Client, clock: Clock
) -> None:
    """Too many 429 in a row, and everything is 403, whatever time passes, until unblocked."""
    server.rest.limits.patience = 3
    statuses = [(await client.rest("GET", "account")).status for _ in range(12)]
    assert statuses == [200] * 7 + [429] * 3 + [403] * 2
    clock.ms += 3_600_000
    assert (await client.rest("GET", "users")).status == 403
    server.rest.limits.unblock()
    assert (await client.rest("GET", "users")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "nothing", 404), ("POST", "users", 405), ("DELETE", "contacts/501", 404)],
)
async def test_an_unknown_method_is_refused(
    server: PretendedAmoCRM, client: Client, method: str, path: str, status: int
) -> None:
    """A path nobody knows is 404, a verb it does not have 405."""
    assert (await client.rest(method, path)).status == status


async def test_a_chat_leads_to_its_contact(server: PretendedAmoCRM, client: Client) -> None:
    """The contact of a chat is found by the chat's id, and read by its own."""
    await client.message()
    [chat] = server.account.chats.values()
    found = (await client.rest("GET", f"contacts/chats?chat_id[]={chat.id}")).json
    [link] = found["_embedded"]["chats"]
    assert (link["chat_id"], link["contact_id"]) == (chat.id, chat.contact_id)
    contact = (await client.rest("GET", f"contacts/{link['contact_id']}")).json
    [phone_field] = contact["custom_fields_values"]
    assert phone_field["values"][0]["value"] == PHONE


async def test_contacts_are_found_by_phone(server: PretendedAmoCRM, client: Client) -> None:
    """A query looks through names and phones; nothing found is 204."""
    await client.message()
    found = (await client.rest("GET", "contacts?query=9991234567")).json
    assert [contact["name"] for contact in found["_embedded"]["contacts"]] == ["Ivan"]
    assert (await client.rest("GET", "contacts?query=000")).status == 204


def phone_field(*values: dict[str, object]) -> dict[str, object]:
    return {"custom_fields_values": [{"field_code": "PHONE", "values": list(values)}]}


async def test_a_change_replaces_all_phones(server: PretendedAmoCRM, client: Client) -> None:
    """Changing a field replaces all its values: one not sent is lost."""
    await client.message()
    server.account.contacts[501].phones.append(Phone("+74950000009", "MOB"))
    body = phone_field({"value": "+7000", "enum_code": "HOME"})
    assert (await client.rest("PATCH", "contacts/501", body)).status == 200
    assert server.account.contacts[501].phones == [Phone("+7000", "HOME")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([phone_field({"value": "1"})], 405),
        (phone_field({"value": "1", "enum": "WORK"}), 400),
        (phone_field({"value": "1", "enum_code": "PAGER"}), 400),
        (phone_field({"value": 1}), 400),
        ({"custom_fields_values": [{"field_code": "PHONE", "field_name": "x", "values": []}]}, 400),
        ({"responsible": 1}, 400),
        ({}, 400),
    ],
)
async def test_a_wrong_change_is_refused(
    server: PretendedAmoCRM, client: Client, body: object, status: int
) -> None:
    """An array, a read-only key or a wrong type is refused, and the card stays as it was."""
    await client.message()
    assert (await client.rest("PATCH", "contacts/501", body)).status == status
    assert server.account.contacts[501].phones == [Phone(PHONE)]
