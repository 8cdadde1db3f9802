"""What every engine keeps to, whatever is behind it. A test class inherits it and brings a rig.

Usage::

    class TestMyEngine(EngineContract):
        @pytest.fixture
        async def rig(self) -> AsyncIterator[Rig]: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import pytest

from relay.delivery.ports import Engine, MediaUnavailableError
from relay.domain.bodies import Reply
from relay.domain.contents import Text, Unsupported
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber
from relay.domain.message import Client, Origin, Received
from relay.domain.outbox import Dead, Delivered, Retry
from relay.domain.session import SessionState

PATIENCE_S = 60.0  # on a machine that is busy with other tests
STOP_S = 10.0  # what the port promises for a cancelled run


class Rig(Protocol):
    """An engine and WhatsApp on its other side, as far as a test may play it."""

    @property
    def engine(self) -> Engine: ...
    @property
    def own(self) -> OwnNumber: ...
    @property
    def client(self) -> Client: ...

    async def client_writes(self, text: str) -> None:
        """The client sends a text; the engine is running and connected."""
        ...

    def seen_by_client(self) -> Sequence[str]:
        """The texts that reached the client, in order."""
        ...


@dataclass
class Kept:
    """A hand-over that keeps what it is given."""

    payloads: list[bytes] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None

    async def __call__(self, payload: bytes) -> None:
        self.from_thread(payload)

    def from_thread(self, payload: bytes) -> None:
        self.payloads.append(payload)
        self.changed()


@dataclass
class Reports:
    """What the engine said of its session."""

    states: list[tuple[SessionState, str, OwnNumber | None]] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None

    def __call__(self, state: SessionState, reason: str, own: OwnNumber | None = None) -> None:
        self.states.append((state, reason, own))
        self.changed()

    @property
    def latest(self) -> SessionState | None:
        return self.states[-1][0] if self.states else None


class Running:
    """An engine while it runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self.kept = Kept(changed=self._tell)
        self.reports = Reports(changed=self._tell)

    def _tell(self) -> None:
        self._loop.call_soon_threadsafe(self._changed.set)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something about what was kept or reported holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def state(self, state: SessionState) -> None:
        await self.until(lambda: self.reports.latest is state)


@asynccontextmanager
async def running(engine: Engine, stop_s: float = STOP_S) -> AsyncIterator[Running]:
    """The engine runs inside, and is cancelled and gone within ``stop_s`` after it."""
    run = Running()
    task = asyncio.create_task(engine.run(run.kept, run.reports))
    try:
        yield run
    finally:
        task.cancel()
        async with asyncio.timeout(stop_s):
            await asyncio.wait([task])
        assert task.cancelled(), f"run ended by itself: {task}"


def reply_to(rig: Rig, text: str) -> Reply:
    return Reply(
        conversation=ConversationId(f"wa-{rig.own}-{rig.client.address}"),
        crm_id=CrmMessageId("crm-1"),
        channel=ChannelId("sales"),
        own=rig.own,
        to=rig.client.address,
        content=Text(text),
    )


class EngineContract:
    """The laws. A subclass brings the fixture ``rig``."""

    async def test_a_session_tells_that_it_is_connected_and_whose_it_is(self, rig: Rig) -> None:
        """``connected`` comes with the own number."""
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
            assert run.reports.states[-1][2] == rig.own

    async def test_what_the_client_writes_is_handed_over_and_readable(self, rig: Rig) -> None:
        """Each text arrives once, exact and in order, with the client's number and its own id."""
        texts = ["Привет", "two\nlines", "  spaces  ", "😀"]
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
            for text in texts:
                await rig.client_writes(text)
            await run.until(lambda: len(run.kept.payloads) >= len(texts))
            events = [e for payload in run.kept.payloads for e in rig.engine.read(payload)]
        messages = [event for event in events if isinstance(event, Received)]
        assert [message.content for message in messages] == [Text(text) for text in texts]
        assert len({message.id for message in messages}) == len(texts)
        assert {message.origin for message in messages} == {Origin.CLIENT}
        assert {message.own for message in messages} == {rig.own}
        assert {message.client.address for message in messages} == {rig.client.address}
        assert {message.client.phone for message in messages} == {rig.client.phone}

    async def test_reading_is_pure(self, rig: Rig) -> None:
        """The same payload always says the same, connected or not."""
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
            await rig.client_writes("once")
            await run.until(lambda: bool(run.kept.payloads))
            during = rig.engine.read(run.kept.payloads[0])
        assert rig.engine.read(run.kept.payloads[0]) == during

    @pytest.mark.parametrize("payload", [b"", b"{}", b"\x00\xff", b"linked_device/9 1 2\n"])
    async def test_nonsense_is_refused(self, rig: Rig, payload: bytes) -> None:
        """What was never handed over is a ``ValueError``."""
        with pytest.raises(ValueError, match=r".+"):
            rig.engine.read(payload)

    async def test_a_reply_reaches_the_client_exactly(self, rig: Rig) -> None:
        """A delivered reply has WhatsApp's id, and the client sees the very text, once."""
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
            first = await rig.engine.send(reply_to(rig, "Здравствуйте 😀\n@79990000000"))
            second = await rig.engine.send(reply_to(rig, "second"))
        assert isinstance(first, Delivered)
        assert isinstance(second, Delivered)
        assert first.reference
        assert first.reference != second.reference
        assert rig.seen_by_client() == ["Здравствуйте 😀\n@79990000000", "second"]

    async def test_nothing_is_sent_before_the_session_is_there(self, rig: Rig) -> None:
        """Before ``run``, a send is a ``Retry``, and WhatsApp sees nothing."""
        assert isinstance(await rig.engine.send(reply_to(rig, "early")), Retry)
        assert not rig.seen_by_client()

    async def test_nothing_is_sent_after_the_session_is_gone(self, rig: Rig) -> None:
        """After ``run`` was cancelled, a send is a ``Retry``, and WhatsApp sees nothing."""
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
        assert isinstance(await rig.engine.send(reply_to(rig, "late")), Retry)
        assert not rig.seen_by_client()

    async def test_no_picture_is_brought_without_a_session(self, rig: Rig) -> None:
        """Before ``run`` and after it, that is "not now", never "he has none"."""

        async def nothing(_: bytes) -> None:
            raise AssertionError("nothing can have come")

        with pytest.raises(MediaUnavailableError):
            await rig.engine.avatar(rig.client.address, nothing)
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
        with pytest.raises(MediaUnavailableError):
            await rig.engine.avatar(rig.client.address, nothing)

    async def test_what_cannot_be_sent_is_dead_at_once(self, rig: Rig) -> None:
        """Content or an address the engine has no way for is refused, never retried."""
        async with running(rig.engine) as run:
            await run.state(SessionState.CONNECTED)
            reply = reply_to(rig, "x")
            for hopeless in (
                replace(reply, content=Unsupported("image")),
                replace(reply, to=ClientAddress("moon:1")),
            ):
                assert isinstance(await rig.engine.send(hopeless), Dead)
        assert not rig.seen_by_client()

    async def test_an_engine_runs_again_after_it_was_stopped(self, rig: Rig) -> None:
        """The supervisor may start the same engine again."""
        for _ in range(2):
            async with running(rig.engine) as run:
                await run.state(SessionState.CONNECTED)
