"""Laws of the faults: each does what it says, to the requests it is for, as often as it is told."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from relay.demo.pretended_amocrm import (
    OLGA,
    Answer,
    BeforeAnswer,
    Hang,
    Lie,
    Message,
    PretendedAmoCRM,
    Reset,
    Slow,
    garbage,
    too_many,
)
from tests.demo.pretended_amocrm.peers import NOW_MS, Client, Clock, talking


async def test_down_refuses_connections(server: PretendedAmoCRM, client: Client) -> None:
    """A server that is down refuses connections, those it had before included."""
    await server.go_down()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.message()


async def test_up_again_is_the_same_server(server: PretendedAmoCRM, client: Client) -> None:
    """It comes back on the same port and has forgotten nothing."""
    await client.message("m-1")
    url = server.url
    await server.go_down()
    await server.come_up()
    assert server.url == url
    assert (await client.message("m-2")).status == 200
    assert [message.msgid for message in server.account.messages] == ["m-1", "m-2"]


async def test_going_down_twice_is_no_error(server: PretendedAmoCRM, client: Client) -> None:
    """Down and up may be repeated."""
    for _ in range(2):
        await server.go_down()
    for _ in range(2):
        await server.come_up()
    assert (await client.message()).status == 200


async def test_going_down_resets_what_is_in_hand(server: PretendedAmoCRM, client: Client) -> None:
    """A request under way when the server goes down ends in an error, its work undone."""
    server.faults.add(Slow(until=asyncio.Event()))
    async with asyncio.TaskGroup() as tasks:
        request = tasks.create_task(failing(client))
        await server.wait_for(lambda s: s.faults.hits("messages") == 1)
        await server.go_down()
    assert request.result()
    assert server.account.messages == []


async def failing(client: Client) -> bool:
    """Whether a message ended in a broken connection."""
    try:
        await client.message()
    except (aiohttp.ClientError, OSError):
        return True
    return False


async def test_slow_waits_for_its_event(server: PretendedAmoCRM, client: Client) -> None:
    """A slow request does its work only when it is let go."""
    event = asyncio.Event()
    server.faults.add(Slow(until=event), times=1)
    async with asyncio.TaskGroup() as tasks:
        request = tasks.create_task(client.message())
        await server.wait_for(lambda s: s.faults.hits("messages") == 1)
        assert server.account.messages == []
        event.set()
    assert request.result().status == 200


async def test_slow_sleeps_as_it_is_told(clock: Clock) -> None:
    """Seconds are waited through the sleep that was handed in."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with PretendedAmoCRM(now_ms=clock, sleep=sleep) as server, talking(server) as client:
        server.faults.add(Slow(seconds=30.0))
        assert (await client.connect()).status == 200
    assert slept == [30.0]


async def test_slow_may_go_on_with_another_fault(server: PretendedAmoCRM, client: Client) -> None:
    """After the wait comes what was ordered after it."""
    event = asyncio.Event()
    event.set()
    server.faults.add(Slow(until=event, then=Answer(502)))
    assert (await client.message()).status == 502


async def test_reset_breaks_the_connection_and_does_nothing(
    server: PretendedAmoCRM, client: Client
) -> None:
    """A reset request is not carried out."""
    server.faults.add(Reset(), times=1)
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.message()
    assert server.account.messages == []


async def test_hang_never_answers(server: PretendedAmoCRM, client: Client) -> None:
    """A hanging request has no answer and is not carried out."""
    server.faults.add(Hang(), times=1)
    with pytest.raises(TimeoutError):
        await client.call("POST", server.account.scope_id, {}, timeout_s=0.05)
    assert server.account.messages == []


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
async def test_a_status_is_answered_without_a_look(
    server: PretendedAmoCRM, client: Client, status: int
) -> None:
    """An ordered status is answered, nothing is done, and it is nobody's violation."""
    server.faults.add(Answer(status))
    assert (await client.message()).status == status
    assert (server.account.messages, server.violations) == ([], [])


async def test_too_many_says_when_to_come_again(server: PretendedAmoCRM, client: Client) -> None:
    """The body of a 429 has retry_after, in seconds."""
    server.faults.add(too_many(retry_after=300))
    answer = await client.message()
    assert (answer.status, answer.json["retry_after"]) == (429, 300)


async def test_garbage_is_a_200_that_is_no_json(server: PretendedAmoCRM, client: Client) -> None:
    """Garbage is answered 200; its body cannot be read, and nothing was done."""
    server.faults.add(garbage())
    answer = await client.message()
    assert answer.status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        _ = answer.json
    assert server.account.messages == []


async def test_a_lie_does_the_work_and_resets(server: PretendedAmoCRM, client: Client) -> None:
    """After a lie the message is there, and the client has only an error."""
    server.faults.add(Lie(), "messages", times=1)
    assert await failing(client)
    assert [message.msgid for message in server.account.messages] == ["m-1"]


async def test_a_lie_may_hang(server: PretendedAmoCRM, client: Client) -> None:
    """The client of a lie that hangs sees a timeout; the message is there before it."""
    server.faults.add(Lie(Hang()), times=1)
    async with asyncio.TaskGroup() as tasks:
        request = tasks.create_task(failing(client))
        await server.wait_for(lambda s: len(s.account.messages) == 1)
        assert not request.done()
        await server.go_down()
    assert request.result()


async def test_a_lie_may_be_a_status(server: PretendedAmoCRM, client: Client) -> None:
    """A 504 from in between does not mean that nothing was done."""
    server.faults.add(Lie(Answer(504)), times=1)
    assert (await client.message()).status == 504
    assert len(server.account.messages) == 1


async def test_a_message_repeated_after_a_lie_is_kept_once(
    server: PretendedAmoCRM, client: Client
) -> None:
    """The retry of a message that was accepted in secret is told that it is a repeat."""
    server.faults.add(Lie(), times=1)
    assert await failing(client)
    assert (await client.message()).status == 400
    assert (len(server.account.messages), len(server.account.repeats)) == (1, 1)


async def test_something_may_happen_before_the_answer(
    server: PretendedAmoCRM, client: Client
) -> None:
    """What is done before the answer sees the message accepted."""

    async def reply(message: Message) -> None:
        await server.write(message.chat_id, OLGA, "quick reply")

    server.faults.add(BeforeAnswer(reply), times=1)
    assert (await client.message()).status == 200
    assert [message.text for message in server.account.messages] == ["hello", "quick reply"]


async def test_a_fault_hits_only_its_endpoint(server: PretendedAmoCRM, client: Client) -> None:
    """A fault for one endpoint leaves the others alone."""
    server.faults.add(Answer(503), "typing")
    assert (await client.message()).status == 200
    assert (await client.in_scope("typing", {})).status == 503


async def test_a_fault_hits_only_its_paths(server: PretendedAmoCRM, client: Client) -> None:
    """A fault for a pattern of paths leaves other paths alone."""
    server.faults.add(Answer(503), "*/typing")
    assert (await client.message()).status == 200
    assert (await client.in_scope("typing", {})).status == 503


async def test_a_fault_ends_after_its_times(server: PretendedAmoCRM, client: Client) -> None:
    """A fault for the next two requests leaves the third alone."""
    fault = server.faults.add(Answer(503), times=2)
    statuses = [(await client.message(f"m-{n}")).status for n in range(3)]
    assert (statuses, fault.hits) == ([503, 503, 200], 2)


async def test_faults_follow_one_another(server: PretendedAmoCRM, client: Client) -> None:
    """Of several faults the first that is not used up is played."""
    server.faults.add(Answer(503), times=1)
    server.faults.add(too_many(), times=1)
    statuses = [(await client.message(f"m-{n}")).status for n in range(3)]
    assert statuses == [503, 429, 200]


async def test_a_fault_can_be_removed(server: PretendedAmoCRM, client: Client) -> None:
    """A fault is over when it is removed, and all are when they are cleared."""
    fault = server.faults.add(Answer(503))
    server.faults.add(Answer(500))
    assert (await client.message()).status == 503
    server.faults.remove(fault)
    server.faults.remove(fault)
    assert (await client.message()).status == 500
    server.faults.clear()
    assert (await client.message()).status == 200


async def test_the_date_can_be_off(server: PretendedAmoCRM, client: Client) -> None:
    """With a skew the answers' Date is off by it, and nothing else is."""
    server.date_skew_ms = 600_000
    answer = await client.message()
    date = parsedate_to_datetime(answer.headers["Date"])
    assert date.timestamp() * 1000 == NOW_MS + 600_000
    assert answer.status == 200


async def test_requests_are_remembered(server: PretendedAmoCRM, client: Client) -> None:
    """Every request is seen with its endpoint, its bytes, its status and the fault played."""
    server.faults.add(Lie(), times=1)
    await failing(client)
    await client.message()
    first, second = list(server.requests)[-2:]
    assert (first.endpoint, first.status, first.played) == ("messages", None, "Lie")
    assert (second.endpoint, second.status, second.played) == ("messages", 400, None)
    assert first.body == second.body
