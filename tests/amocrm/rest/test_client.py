"""The one client of the REST API: pace, patience, and what its errors say."""

from __future__ import annotations

import itertools
import json
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from relay.amocrm.alarm import Credential
from relay.amocrm.errors import (
    AmoCrmError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    RejectedError,
    UnreachableError,
)
from relay.amocrm.rest.bucket import LONGEST_HOLD_MS
from relay.amocrm.rest.client import ATTEMPTS, LIMIT_MS
from relay.domain.retry import MINUTE, SECOND
from tests.amocrm.doubles import TOKEN
from tests.amocrm.rest.rig import Rig, rig_of
from tests.amocrm.servers import FakeHost, fake_host, raw_host


def play(host: FakeHost, *answers: tuple[int, object], rig: Rig | None = None) -> list[int]:
    """Answer with these one by one, the last for ever; the moments of the requests."""
    left, moments = list(answers), list[int]()

    async def answer(_: web.Request) -> web.Response:
        moments.append(0 if rig is None else rig.clock.ms)
        status, body = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=status, body=json.dumps(body).encode() if body else b"")

    host.answer = answer
    return moments


async def test_a_request_shows_the_token_and_its_query() -> None:
    """The bearer is the token in force; the query is quoted; what is sent is JSON."""
    async with fake_host() as host, rig_of(host.url + "/") as rig:
        host.say(200, b'{"id":5}')
        query = [("filter[external_id]", "wa-1 2"), ("with", "amojo_id")]
        assert await rig.rest.call("POST", "sources", query, [{"name": "Продажи"}]) == {"id": 5}
    [seen] = host.seen
    assert seen.path == "/api/v4/sources?filter%5Bexternal_id%5D=wa-1+2&with=amojo_id"
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["Content-Type"] == "application/json"
    assert json.loads(seen.body) == [{"name": "Продажи"}]


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_answer_without_a_body_is_an_empty_object(status: int) -> None:
    """204 is how amoCRM says "nothing"."""
    async with fake_host() as host, rig_of(host.url) as rig:
        host.say(status)
        assert await rig.rest.call("GET", "contacts") == {}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
async def test_too_many_requests_are_waited_out(method: str) -> None:
    """A 429 was surely not carried out, so even a POST is repeated, when amoCRM says."""
    async with fake_host() as host, rig_of(host.url) as rig:
        moments = play(host, (429, {"retry_after": 7}), (200, {"id": 1}), rig=rig)
        assert await rig.rest.call(method, "sources") == {"id": 1}
    assert [at - moments[0] for at in moments] == [0, 7 * SECOND]


async def test_without_a_word_the_pauses_grow_and_end() -> None:
    """429 again and again: each pause twice the last, and the call ends with an error."""
    async with fake_host() as host, rig_of(host.url) as rig:
        moments = play(host, (429, None), rig=rig)
        with pytest.raises(UnreachableError, match="429"):
            await rig.rest.call("GET", "users")
    gaps = [later - at for at, later in itertools.pairwise(moments)]
    assert gaps == [1 * SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert len(moments) == ATTEMPTS


async def test_one_hold_holds_all() -> None:
    """While amoCRM wants peace nobody asks it anything; who cannot wait is told at once."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (429, {"retry_after": 120}), (200, {"id": 1}))
        for _ in range(3):
            with pytest.raises(UnreachableError):
                await rig.rest.call("GET", "users")
        assert len(host.seen) == 1
        rig.clock.ms += 2 * MINUTE
        assert await rig.rest.call("GET", "users") == {"id": 1}


async def test_a_block_is_told_from_a_missing_right() -> None:
    """403 for one thing is a matter of rights; 403 for the account too is a block, waited out."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (403, None), (200, {"id": 1}))
        with pytest.raises(ForbiddenError, match="403"):
            await rig.rest.call("GET", "users")
        moments = play(host, (403, None), (403, None), (200, {"id": 1}), rig=rig)
        assert await rig.rest.call("GET", "users") == {"id": 1}
    assert [at - moments[0] for at in moments] == [0, 200, 200 + 30 * SECOND]
    assert not rig.alarm.standing


async def test_a_lasting_block_is_asked_ever_more_rarely() -> None:
    """Blocked for good: one request a hold, and the holds grow to their ceiling."""
    async with fake_host() as host, rig_of(host.url) as rig:
        moments = play(host, (403, None), rig=rig)
        for _ in range(3000):
            with pytest.raises(AmoCrmError):
                await rig.rest.call("GET", "account")
            rig.clock.ms += SECOND
    gaps = [later - at for at, later in itertools.pairwise(moments)]
    assert [round(gap / MINUTE, 1) for gap in gaps[:5]] == [0.5, 1, 2, 4, 5]
    assert max(gaps) <= LONGEST_HOLD_MS + LIMIT_MS


async def test_a_clock_set_back_does_not_hold_for_ever() -> None:
    """The next turn is never further off than the longest hold."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (200, {"id": 1}))
        await rig.rest.call("GET", "account")
        rig.clock.ms -= 365 * 24 * 60 * MINUTE
        with pytest.raises(UnreachableError, match="300 s"):
            await rig.rest.call("GET", "account")
        rig.clock.ms += 365 * 24 * 60 * MINUTE
        assert await rig.rest.call("GET", "account") == {"id": 1}


@pytest.mark.parametrize("status", [301, 500, 502, 503, 504])
async def test_what_may_be_repeated_is(status: int) -> None:
    """A failure of the server is tried again, so often and no oftener."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (status, None), (status, None), (200, {"id": 1}))
        assert await rig.rest.call("PATCH", "contacts/1", body={}) == {"id": 1}
        host.seen.clear()
        play(host, (status, None))
        with pytest.raises(UnreachableError, match=str(status)):
            await rig.rest.call("GET", "users")
    assert len(host.seen) == ATTEMPTS


async def test_what_may_have_been_done_is_not_repeated() -> None:
    """A POST without an answer is told as such: whoever made it must look first."""
    async with raw_host(b"", reset=True) as url, rig_of(url) as rig:
        with pytest.raises(UnreachableError):
            await rig.rest.call("POST", "sources", body=[])
        assert rig.clock.slept == []
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (502, None))
        with pytest.raises(UnreachableError):
            await rig.rest.call("POST", "sources", body=[])
    assert len(host.seen) == 1


PROBLEM = {
    "title": "Bad Request",
    "type": "https://httpstatus.es/400",
    "status": 400,
    "detail": "Request validation failed",
    "validation-errors": [
        {
            "request_id": "0",
            "errors": [
                {"code": "FieldNotExpected", "path": "name", "detail": "+7 (999) 123-45-67\nodd"},
                {"code": "NotSupportedChoice", "path": "pipeline_id", "detail": ""},
            ],
        }
    ],
}


@pytest.mark.parametrize("status", [400, 405, 413, 422])
async def test_a_problem_is_one_readable_line(status: int) -> None:
    """What amoCRM will not do it explains field by field; no whole number is repeated."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (status, PROBLEM))
        with pytest.raises(RejectedError) as told:
            await rig.rest.call("PATCH", "contacts/1", body={})
    assert str(told.value) == (
        f"amoCRM answered {status}: Request validation failed; "
        "name: FieldNotExpected: …67 odd; pipeline_id: NotSupportedChoice"
    )


async def test_what_is_not_there_is_told_apart() -> None:
    """404 is a rejection of its own kind."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (404, None))
        with pytest.raises(NotFoundError, match="no explanation"):
            await rig.rest.call("GET", "contacts/1")


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"[" * 50_000, b'"x"'])
async def test_a_strangers_page_is_no_answer(body: bytes) -> None:
    """A 200 that is no JSON object is somebody else's."""
    async with fake_host() as host, rig_of(host.url) as rig:
        host.say(200, body)
        with pytest.raises(UnreachableError):
            await rig.rest.call("GET", "account")


@pytest.mark.parametrize("status", [401, 402])
async def test_a_refused_token_is_an_alarm_until_one_is_taken(status: int) -> None:
    """The operator is told, once; the next success lifts it."""
    async with fake_host() as host, rig_of(host.url) as rig:
        play(host, (status, None))
        for _ in range(2):
            with pytest.raises(RefusedError, match=f"amoCRM answered {status}: the "):
                await rig.rest.call("GET", "users")
        assert [refusal.credential for refusal in rig.alarm.standing] == [Credential.TOKEN]
        play(host, (204, None))
        await rig.rest.call("GET", "users")
        assert not rig.alarm.standing


async def test_somebody_elses_alarm_is_not_lifted() -> None:
    """A token of another account is taken by amoCRM, but that does not make it ours."""
    async with fake_host() as host, rig_of(host.url) as rig:
        rig.alarm.refused(Credential.TOKEN, "another account")
        play(host, (200, {"id": 1}))
        await rig.rest.call("GET", "users")
        assert rig.alarm.standing


async def test_a_rotated_token_acts_at_once() -> None:
    """A call whose token is refused while a new one comes into force goes on with that."""
    async with fake_host() as host, rig_of(host.url) as rig:

        async def answer(request: web.Request) -> web.Response:
            if request.headers["Authorization"] == "Bearer fresh":
                return web.json_response({"id": 1})
            rig.held.current = replace(rig.held.current, token="fresh")
            return web.Response(status=401)

        host.answer = answer
        assert await rig.rest.call("POST", "sources", body=[]) == {"id": 1}
        assert not rig.alarm.standing


@pytest.mark.parametrize(
    "spoil", [lambda h: h.say(401, b"{}"), lambda h: h.say(500, b"{}"), lambda h: h.say(200, b"x")]
)
async def test_no_error_holds_the_token(spoil: Callable[[FakeHost], None]) -> None:
    """Neither an error, nor its traceback, nor the log has the token."""
    with capture_logs() as logs:
        async with fake_host() as host, rig_of(host.url) as rig:
            spoil(host)
            with pytest.raises(AmoCrmError) as told:
                await rig.rest.call("GET", "users")
    assert TOKEN not in "".join(traceback.format_exception(told.value)) + str(logs) + repr(rig.held)


async def test_all_pages_are_read_from_our_own_host() -> None:
    """Pages are followed while amoCRM names a next one, but never to another host."""
    async with fake_host() as host, rig_of(host.url) as rig:
        elsewhere = {"next": {"href": "https://evil.example/api/v4/users?page=2"}}
        pages: list[tuple[int, object]] = [
            (200, {"_embedded": {"users": [{"id": 1}, "odd", {"id": 2}]}, "_links": elsewhere}),
            (200, {"_embedded": {"users": [{"id": 3}]}, "_links": {"next": {"href": "x"}}}),
            (204, None),
        ]
        play(host, *pages)
        found = await rig.rest.every("users", "users", [("with", "amojo_id")])
    assert [entry["id"] for entry in found] == [1, 2, 3]
    assert [seen.path.partition("?")[2] for seen in host.seen] == [
        f"with=amojo_id&page={page}&limit=250" for page in (1, 2, 3)
    ]


async def test_pages_have_an_end() -> None:
    """An amoCRM that names a next page for ever is told from one with many entities."""
    async with fake_host() as host, rig_of(host.url) as rig:
        endless = {"_embedded": {"users": [{"id": 1}]}, "_links": {"next": {"href": "x"}}}
        play(host, (200, endless))
        with pytest.raises(UnreachableError, match="pages"):
            await rig.rest.every("users", "users")


async def test_a_call_is_bounded_in_time() -> None:
    """However its attempts fail, no attempt begins after the limit."""
    async with fake_host() as host, rig_of(host.url) as rig:
        moments = play(host, (429, {"retry_after": 25}), rig=rig)
        with pytest.raises(UnreachableError):
            await rig.rest.call("GET", "users")
    assert moments[-1] - moments[0] <= LIMIT_MS
    assert len(moments) == 3
