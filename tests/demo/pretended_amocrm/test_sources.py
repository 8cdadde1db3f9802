"""Laws of sources: own ones only, so many, and an external id for ever."""

from __future__ import annotations

from typing import Any

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.demo.pretended_amocrm.peers import Answered, Client, Clock

SALES = {
    "name": "Sales",
    "external_id": "wa-74950000001",
    "pipeline_id": 4712,
    "services": [
        {
            "type": "whatsapp",
            "params": {"waba": False},
            "pages": [{"id": "1", "name": "Sales", "link": "+74950000001"}],
        }
    ],
}


@pytest.fixture(autouse=True)
def unhurried(bare: PretendedAmoCRM) -> None:
    """The clock of these tests stands still."""
    bare.rest.limits.rps = None


def problem(answer: Answered) -> tuple[int, str]:
    [entry] = answer.json["validation-errors"]
    [error] = entry["errors"]
    return answer.status, error["code"]


async def test_a_source_is_made_found_and_changed(bare: PretendedAmoCRM, client: Client) -> None:
    """What was made is listed by its external id; a change leaves the rest as it was."""
    assert (await client.rest("GET", "sources")).status == 204
    made = (await client.rest("POST", "sources", [SALES])).json["_embedded"]["sources"]
    assert made[0] | SALES == made[0]
    listed = (await client.rest("GET", "sources?filter[external_id]=wa-74950000001")).json
    assert listed["_embedded"]["sources"] == made
    assert (await client.rest("GET", "sources?filter[external_id]=other")).status == 204
    change = [{"id": made[0]["id"], "name": "Support"}]
    [changed] = (await client.rest("PATCH", "sources", change)).json["_embedded"]["sources"]
    assert changed == made[0] | {"name": "Support"}
    path = f"sources/{made[0]['id']}"
    assert (await client.rest("PATCH", path, {"pipeline_id": 4711})).json["pipeline_id"] == 4711
    assert (await client.rest("GET", path)).json["name"] == "Support"
    assert (await client.rest("DELETE", path)).status == 204
    assert (await client.rest("GET", path)).status == 404
    assert bare.account.sources == {}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"name": None}, "WrongType"),
        ({"external_id": "wa-" + "7" * 34}, "TooLong"),
        ({"external_id": "продажи"}, "NotAscii"),
        ({"pipeline_id": 99}, "NotSupportedChoice"),
        ({"services": [{"type": "telegram"}]}, "NotSupportedChoice"),
        ({"id": 5}, "FieldNotExpected"),
    ],
)
async def test_a_wrong_source_is_refused(
    bare: PretendedAmoCRM, client: Client, spoil: dict[str, Any], code: str
) -> None:
    """Nothing of an array is made if one of it is wrong."""
    other = SALES | {"external_id": "wa-2"}
    answer = await client.rest("POST", "sources", [other, SALES | spoil])
    assert problem(answer) == (400, code)
    assert bare.account.sources == {}


async def test_external_ids_are_unique_and_immutable(client: Client) -> None:
    """A second source of one id is refused, and so is another id for a source."""
    [made] = (await client.rest("POST", "sources", [SALES])).json["_embedded"]["sources"]
    assert problem(await client.rest("POST", "sources", [SALES])) == (400, "NotUnique")
    change = [{"id": made["id"], "external_id": "wa-2"}]
    assert problem(await client.rest("PATCH", "sources", change)) == (400, "Immutable")


async def test_there_are_only_so_many(bare: PretendedAmoCRM, client: Client) -> None:
    """Beyond the limit a source is refused, and at most fifty come at once."""
    bare.rest.sources.limit = 60
    many = [SALES | {"external_id": f"wa-{n}"} for n in range(60)]
    assert problem(await client.rest("POST", "sources", many[:51])) == (400, "Length")
    for part in (many[:50], many[50:]):
        assert (await client.rest("POST", "sources", part)).status == 200
    one_more = [SALES | {"external_id": "wa-more"}]
    assert problem(await client.rest("POST", "sources", one_more)) == (400, "LimitExceeded")


async def test_one_default_at_most(bare: PretendedAmoCRM, client: Client) -> None:
    """Making one the default ends another's being it."""
    for n in range(2):
        body = [SALES | {"external_id": f"wa-{n}", "default": True}]
        await client.rest("POST", "sources", body)
    assert [source.default for source in bare.account.sources.values()] == [False, True]


async def test_sources_are_for_administrators(bare: PretendedAmoCRM, client: Client) -> None:
    """Who is no administrator may neither read nor make them."""
    bare.rest.token_is_admin = False
    assert (await client.rest("GET", "sources")).status == 403
    assert (await client.rest("POST", "sources", [SALES])).status == 403


async def test_an_array_where_an_object_is_wanted(client: Client) -> None:
    """One source is changed with an object, several with an array."""
    [made] = (await client.rest("POST", "sources", [SALES])).json["_embedded"]["sources"]
    assert (await client.rest("PATCH", f"sources/{made['id']}", [{"name": "x"}])).status == 400
    assert (await client.rest("PATCH", "sources", {"id": made["id"]})).status == 400


async def test_time_plays_no_part(client: Client, clock: Clock) -> None:
    """A source is there until it is deleted."""
    await client.rest("POST", "sources", [SALES])
    clock.ms += 10**11
    assert (await client.rest("GET", "sources")).status == 200
