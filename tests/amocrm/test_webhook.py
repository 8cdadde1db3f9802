"""The door for hooks over real sockets: each answer in its order, and never a 500."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from relay.amocrm.protocol import sign_hook
from relay.amocrm.webhook import LONGEST_HOOK
from relay.delivery.store import StoreRefusedError
from tests.amocrm.door import CHUNKED, SOON_S, head, open_door
from tests.amocrm.doubles import CHANNEL, SECRET, credentials
from tests.amocrm.test_hooks import ANSWER


async def test_good_hook_is_kept_raw() -> None:
    """A signed hook is answered 200, and what is kept is what came, newline and all."""
    async with open_door() as scene:
        assert (await scene.post(ANSWER)).status == 200
        assert (await scene.post(ANSWER + b"\n", sign_hook(ANSWER, SECRET))).status == 200
    assert scene.hand_over.kept == [ANSWER, ANSWER + b"\n"]


async def test_200_comes_after_keeping() -> None:
    """The answer waits until the hook is kept."""
    order: list[str] = []
    async with open_door() as scene:
        scene.hand_over.before = lambda: order.append("kept")
        await scene.post(ANSWER)
        order.append("answered")
    assert order == ["kept", "answered"]


async def test_unknown_scope() -> None:
    """Another scope is 404, whoever signed."""
    async with open_door() as scene:
        assert (await scene.post(ANSWER, scope_id=f"{CHANNEL}_other")).status == 404
        assert (await scene.post(ANSWER, scope_id="nonsense")).status == 404
    assert scene.hand_over.kept == []


async def test_scope_not_known_yet() -> None:
    """Before the account is known any scope of our channel is ours: the signature proves it."""
    async with open_door() as scene:
        scene.scope.known = None
        assert (await scene.post(ANSWER, scope_id=f"{CHANNEL}_other")).status == 200
        assert (await scene.post(ANSWER, scope_id="nonsense_other")).status == 404
        assert (await scene.post(ANSWER, "bad", f"{CHANNEL}_other")).status == 403


@pytest.mark.parametrize("signature", ["", "bad", sign_hook(ANSWER + b" ", SECRET), "\xff"])
async def test_bad_signature(signature: str) -> None:
    """What is not signed with our secret is 403, JSON or not."""
    async with open_door() as scene:
        assert (await scene.post(ANSWER, signature)).status == 403
        assert (await scene.post(b"nonsense", signature)).status == 403
    assert scene.hand_over.kept == []


async def test_missing_signature() -> None:
    """No signature header at all is 403."""
    async with open_door() as scene:
        request = head(2).replace(b"X-Signature: \r\n", b"")
        assert b" 403 " in await scene.raw(request + b"{}")


async def test_rotated_secret_acts_at_once() -> None:
    """After a rotation the old secret opens nothing and the new one does."""
    async with open_door() as scene:
        scene.held.current = credentials(secret="another")
        assert (await scene.post(ANSWER)).status == 403
        assert (await scene.post(ANSWER, sign_hook(ANSWER, "another"))).status == 200


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"null", b"\xff", b"[" * 100_000])
async def test_not_a_json_object(body: bytes) -> None:
    """Signed nonsense is 400 and not kept."""
    async with open_door() as scene:
        assert (await scene.post(body)).status == 400
    assert scene.hand_over.kept == []


@pytest.mark.parametrize("trouble", [StoreRefusedError("disk full"), RuntimeError("bug"), OSError])
async def test_not_kept_is_503(trouble: Exception) -> None:
    """If it could not be kept the sender hears 503 and when to come back, and nothing else."""
    async with open_door() as scene:
        scene.hand_over.trouble = trouble
        response = await scene.post(ANSWER)
        assert response.status == 503
        assert response.headers["Retry-After"] == "5"
        scene.hand_over.trouble = None
        assert (await scene.post(ANSWER)).status == 200


async def test_too_long_by_its_own_word() -> None:
    """A body announced as too long is refused unread."""
    async with open_door() as scene:
        answer = await scene.raw(head(LONGEST_HOOK + 1))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


async def test_too_long_in_chunks() -> None:
    """A body without announced length and without end is cut off at the limit all the same."""
    frame = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        while True:
            writer.write(frame)
            await writer.drain()

    async with open_door() as scene:
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
        pouring = asyncio.create_task(pour(writer))
        try:
            assert b" 413 " in await reader.readline()
        finally:
            pouring.cancel()
            await asyncio.gather(pouring, return_exceptions=True)
            writer.transport.abort()
    assert scene.hand_over.kept == []


async def test_longest_hook_is_taken() -> None:
    """A hook of exactly the limit is taken."""
    bare = json.dumps({"text": ""}).encode()
    body = bare[:-2] + b"x" * (LONGEST_HOOK - len(bare)) + bare[-2:]
    assert len(body) == LONGEST_HOOK
    async with open_door() as scene:
        assert (await scene.post(body)).status == 200
    assert scene.hand_over.kept == [body]


async def test_slow_sender_is_not_waited_for() -> None:
    """A body that does not come in time is 408, and the connection ends."""
    async with open_door(read_timeout_s=SOON_S) as scene:
        answer = await scene.raw(head(100) + b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_broken_chunks_are_the_senders_mistake() -> None:
    """A body that turns out to be no valid chunk is 400, or 408 where the server falls silent."""
    async with open_door(read_timeout_s=SOON_S) as scene:
        answer = await scene.raw(CHUNKED, later=b"zz\r\nxx\r\n")
        assert answer.split(b" ")[1] in {b"400", b"408"}
        assert (await scene.post(ANSWER)).status == 200


async def test_body_in_pieces_is_one_body() -> None:
    """A hook that comes after its headers is taken as if it had come with them."""
    request = head(len(ANSWER), sign_hook(ANSWER, SECRET))
    async with open_door() as scene:
        assert b" 200 " in await scene.raw(request, later=ANSWER)
    assert scene.hand_over.kept == [ANSWER]


async def test_sender_that_hangs_up() -> None:
    """A sender that leaves in the middle costs nothing but a line in the log."""
    async with open_door() as scene:
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
        writer.write(head(100) + b"{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""
        assert (await scene.post(ANSWER)).status == 200
    assert scene.hand_over.kept == [ANSWER]


async def test_v1_hook_is_kept_and_asks_for_v2() -> None:
    """A hook of version 1 is kept, and a new connect is asked for; others ask for nothing."""
    v1 = b'{"message":{"receiver":"wa-1","conversation_id":"wa-1","type":"text","text":"x"}}'
    async with open_door() as scene:
        await scene.post(ANSWER)
        assert scene.scope.wishes == 0
        assert (await scene.post(v1)).status == 200
        assert scene.scope.wishes == 1
    assert scene.hand_over.kept == [ANSWER, v1]


async def test_refusals_are_logged_once_a_minute() -> None:
    """A wrong secret shows in the log, a flood of refusals does not flood it."""
    async with open_door() as scene:
        with capture_logs() as logs:
            for _ in range(5):
                await scene.post(ANSWER, "bad")
            await scene.post(ANSWER, scope_id="other")
            scene.clock.advance(60_000)
            await scene.post(ANSWER, "bad")
    assert [(log["status"], log["count"]) for log in logs] == [(403, 1), (404, 1), (403, 5)]
    assert "Good day" not in str(logs)


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=200)
            | st.dictionaries(
                st.sampled_from(["message", "action", "x"]),
                st.none() | st.text() | st.dictionaries(st.text(), st.text()),
            ).map(lambda value: json.dumps(value).encode()),
            st.sampled_from(["right", "wrong"]),
        ),
        max_size=20,
    )
)
@settings(max_examples=25, deadline=None)
async def test_any_bytes_get_an_honest_answer(
    hooks: list[tuple[bytes, str]],
) -> None:
    """Whatever the bytes: 403 unsigned, 400 nonsense, 200 only if kept; never a 500."""
    async with open_door() as scene:
        for body, signed in hooks:
            kept = len(scene.hand_over.kept)
            status = (await scene.post(body, None if signed == "right" else "wrong")).status
            if signed == "wrong":
                assert status == 403
            else:
                assert status in {200, 400}
            assert len(scene.hand_over.kept) == kept + (status == 200)


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
async def test_any_bytes_on_the_wire_are_never_500(junk: bytes) -> None:
    """Whatever follows the headers of a request of unknown length, no answer is a 500."""
    async with open_door(read_timeout_s=SOON_S) as scene:
        answer = await scene.raw(CHUNKED + junk)
        assert answer.split(b" ")[1] in {b"400", b"403", b"408"}
