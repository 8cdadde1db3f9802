"""The life of a linked device on the pretended library: what it does at each thing that happens."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from relay.domain.contents import Text
from relay.domain.ids import OwnNumber
from relay.domain.message import Failure, Received, Withheld
from relay.domain.outbox import Closed, Dead, Delivered, Retry, Unknown
from relay.domain.session import SessionState
from relay.whatsapp.linked_device import caller, hearing, paired, protobufs, states
from relay.whatsapp.linked_device import client as client_module
from relay.whatsapp.linked_device import engine as engine_module
from relay.whatsapp.linked_device import tunnel as tunnel_module
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.library import LibraryMissingError
from relay.whatsapp.linked_device.reachability import reach
from relay.whatsapp.linked_device.tunnel import Tunnel
from relay.whatsapp.linked_device.way import Hop
from tests.clock import settle
from tests.whatsapp.engine_contract import PATIENCE_S, EngineContract, Running, reply_to, running
from tests.whatsapp.linked_device import proxies, samples
from tests.whatsapp.linked_device.conftest import BACKOFF_MS, LinkedRig, pair, unpair
from tests.whatsapp.linked_device.digging import Far, Hold, confirm, hang_up, shake_hands, through


class TestContract(EngineContract):
    """A linked device is an engine."""


async def rests(rig: LinkedRig, rest_ms: int) -> None:
    """The engine rests for exactly so long, and then there is another life."""
    lives = rig.library.started
    await rig.clock.asked_ms(rest_ms)
    await rig.clock.advance_ms(rest_ms - 1)
    assert rig.library.started == lives
    await rig.clock.advance_ms(1)


async def live_again(rig: LinkedRig, run: Running, rest_ms: int = BACKOFF_MS) -> None:
    """The engine rests, lives again and connects."""
    lives = rig.library.started
    await rests(rig, rest_ms)
    await run.until(lambda: rig.library.started == lives + 1)
    await run.state(SessionState.CONNECTED)


# --- Before there is a session --------------------------------------------------------------------


async def test_an_unpaired_channel_says_how_to_pair_it_and_waits(rig: LinkedRig) -> None:
    """Without a device in the file the library is not even loaded; pairing it is noticed."""
    unpair(rig.store)
    async with running(rig.engine) as run:
        await run.state(SessionState.UNPAIRED)
        assert run.reports.states[-1][1] == "pair it: relay pair sales"
        assert rig.library.started == 0
        pair(rig.store)
        rig.engine.paired()
        await run.state(SessionState.CONNECTED)


async def test_a_pairing_is_noticed_without_being_told(rig: LinkedRig) -> None:
    """The file is looked at now and then: a pairing may come from a process that knows nobody."""
    rig.store.unlink()
    async with running(rig.engine) as run:
        await run.state(SessionState.UNPAIRED)
        await rig.clock.asked_ms(paired.LOOK_MS)
        pair(rig.store)
        await rig.clock.advance_ms(paired.LOOK_MS)
        await run.state(SessionState.CONNECTED)
        assert [state for state, _, _ in run.reports.states].count(SessionState.UNPAIRED) == 1


async def test_another_number_than_the_files_is_refused(rig: LinkedRig) -> None:
    """A channel whose number is fixed never connects with another one."""
    engine = rig.another(phone="+7 495 000-00-09")
    async with running(engine) as run:
        await run.state(SessionState.FAILED)
        assert "another number" in run.reports.states[-1][1]
        assert rig.library.started == 0


async def test_the_right_number_is_the_right_number_however_written(rig: LinkedRig) -> None:
    """The file's number is compared by its digits."""
    async with running(rig.another(phone="+7 (495) 000-00-01")) as run:
        await run.state(SessionState.CONNECTED)


async def test_a_damaged_session_file_is_told_and_left_alone(rig: LinkedRig) -> None:
    """A file that is no database is reported, not connected with, and not overwritten."""
    rig.store.write_bytes(b"garbage" * 1000)
    async with running(rig.engine) as run:
        await run.state(SessionState.FAILED)
        assert "damaged" in run.reports.states[-1][1]
    assert rig.store.read_bytes() == b"garbage" * 1000


async def test_a_session_in_use_elsewhere_is_left_alone(rig: LinkedRig) -> None:
    """Two engines never have one session's file open; the second waits for the first."""
    async with running(rig.another()) as first:
        await first.state(SessionState.CONNECTED)
        async with running(rig.engine) as second:
            await second.state(SessionState.REPLACED)
            assert "another process" in second.reports.states[-1][1]
            assert rig.library.started == 1


async def test_the_session_file_is_private(rig: LinkedRig) -> None:
    """Nobody else can read the keys of a session."""
    rig.store.chmod(0o644)
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        assert rig.store.stat().st_mode & 0o777 == 0o600


async def test_out_of_reach_the_library_is_not_asked_to_dial(
    rig: LinkedRig,
    unused_port: int,
    whatsapp_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each failed dialling of the library leaks, so a probe goes first; it is repeated.

    However often that is, it is one outage: told once, with the time at which it began.
    """
    rig.proxy = f"http://127.0.0.1:{unused_port}"
    tries = asyncio.Semaphore(0)

    async def counted(hop: Hop) -> str | None:
        try:
            return await reach(hop)
        finally:
            tries.release()

    monkeypatch.setattr(engine_module, "reach", counted)
    async with running(rig.another()) as run:
        await run.state(SessionState.RECONNECTING)
        await tries.acquire()
        assert f"127.0.0.1:{unused_port} cannot be reached" in run.reports.states[-1][1]
        told = list(run.reports.states)
        for _ in range(3):
            await rests(rig, BACKOFF_MS)
            await tries.acquire()
            await settle()
        assert run.reports.states == told
        assert rig.library.started == 0
        async with proxies.proxy(proxies.http(), whatsapp_tls, port=unused_port):
            await rests(rig, BACKOFF_MS)
            await run.state(SessionState.CONNECTED)
    assert [state for state, _, _ in run.reports.states] == [
        SessionState.CONNECTING,
        SessionState.RECONNECTING,
        SessionState.CONNECTED,
    ]


async def test_a_missing_library_is_told(rig: LinkedRig) -> None:
    """Where neonize cannot be loaded, the channel says why and the relay goes on."""

    def missing() -> object:
        raise LibraryMissingError("neonize cannot be loaded: no shared library")

    engine = rig.another()
    engine._load = missing  # type: ignore[assignment]  # the loader is what fails
    async with running(engine) as run:
        await run.state(SessionState.FAILED)
        assert "no shared library" in run.reports.states[-1][1]


# --- What can happen to a session -----------------------------------------------------------------


async def test_a_lost_connection_comes_back_by_itself(rig: LinkedRig) -> None:
    """The library reconnects on its own; meanwhile nothing is sent."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.DISCONNECTED)
        await run.state(SessionState.RECONNECTING)
        assert isinstance(await rig.engine.send(reply_to(rig, "x")), Retry)
        rig.library.happens(Code.CONNECTED)
        await run.state(SessionState.CONNECTED)
        assert rig.library.started == 1


async def test_silence_of_the_server_is_not_connected(rig: LinkedRig) -> None:
    """Without answers to keep-alives the session is not called connected; with them it is again."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.KEEPALIVE_TIMEOUT)
        await run.state(SessionState.RECONNECTING)
        rig.library.happens(Code.KEEPALIVE_RESTORED)
        await run.state(SessionState.CONNECTED)


async def test_offline_for_too_long_is_started_afresh(rig: LinkedRig) -> None:
    """The library retries for ever without a ceiling; after a while our own backoff takes over."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.DISCONNECTED)
        await run.state(SessionState.RECONNECTING)
        await rig.clock.asked_ms(engine_module.OFFLINE_CHECK_MS)
        await rig.clock.advance_ms(engine_module.OFFLINE_LIMIT_MS)
        await run.until(lambda: "too long" in run.reports.states[-1][1])
        await live_again(rig, run)


async def test_a_stream_that_ends_is_started_again(rig: LinkedRig) -> None:
    """The library's stream can end while its socket lives; it is closed, and replaced at once."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.break_stream("proto: required field … not set")
        await run.state(SessionState.RECONNECTING)
        assert await asyncio.to_thread(rig.library.disconnected.wait, PATIENCE_S)
        await live_again(rig, run)


async def test_a_failed_dialling_is_tried_again(rig: LinkedRig) -> None:
    """A client whose first connection fails is removed, and another follows after the backoff.

    The library's own words are the reason, without numbers.
    """
    rig.library.dial_error = "failed to dial: certificate is not yet valid (79161234567)"
    async with running(rig.engine) as run:
        await run.state(SessionState.RECONNECTING)
        reason = run.reports.states[-1][1]
        assert reason.startswith("cannot connect: failed to dial: certificate is not yet valid")
        assert "79161234567" not in reason
        rig.library.dial_error = None
        await live_again(rig, run)


async def test_lives_cut_short_are_spaced_out(rig: LinkedRig) -> None:
    """Sessions that die young again and again are not a storm of logins."""
    rig.engine._retry = replace(rig.engine._retry, ladder_ms=(1_000, 50_000))
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.break_stream("again")
        await run.state(SessionState.RECONNECTING)
        await live_again(rig, run, 1_000)
        rig.library.break_stream("again")
        await run.state(SessionState.RECONNECTING)
        await live_again(rig, run, 50_000)


async def test_logged_out_waits_for_a_pairing(rig: LinkedRig) -> None:
    """Removed on the phone: nothing is tried until somebody pairs the channel again."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        unpair(rig.store)
        rig.library.happens(Code.LOGGED_OUT)
        await run.state(SessionState.LOGGED_OUT)
        await rig.clock.asked_ms(BACKOFF_MS)
        await rig.clock.advance_ms(BACKOFF_MS)
        await rig.clock.asked_ms(paired.LOOK_MS)
        await rig.clock.advance_ms(10 * paired.LOOK_MS)
        assert rig.library.started == 1
        assert run.reports.latest is SessionState.LOGGED_OUT
        pair(rig.store, "74950000002")
        rig.library.own = "74950000002"
        rig.engine.paired()
        await run.state(SessionState.CONNECTED)
        assert run.reports.states[-1][2] == OwnNumber("74950000002")


async def test_replaced_backs_off_for_long(rig: LinkedRig) -> None:
    """Two sessions that throw each other out every second would be a way to a ban."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.STREAM_REPLACED)
        await run.state(SessionState.REPLACED)
        await live_again(rig, run, states.REPLACED_REST_MS)


async def test_a_ban_is_waited_out(rig: LinkedRig) -> None:
    """A banned number is left alone until WhatsApp's own time is over."""
    ban = protobufs.load().TemporaryBan(Code=1, Expire=3600).SerializeToString()
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        rig.library.happens(Code.TEMPORARY_BAN, ban)
        await run.state(SessionState.BANNED)
        assert run.reports.states[-1][1].endswith("; until 2026-02-02T03:40:00+00:00")
        await live_again(rig, run, 3_600_000)


async def test_an_event_that_cannot_be_handed_over_restarts_the_session(rig: LinkedRig) -> None:
    """An error in the hand-over is told and ends the session's life; it never vanishes."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)

        def refuse() -> None:
            raise RuntimeError("the store is closed")

        ordinary, run.kept.changed = run.kept.changed, refuse
        await rig.client_writes("x")
        await run.state(SessionState.FAILED)
        assert "the store is closed" in run.reports.states[-1][1]
        run.kept.changed = ordinary
        await live_again(rig, run)


# --- Order and safety -----------------------------------------------------------------------------


async def test_an_event_is_kept_before_the_next_one_is_taken(rig: LinkedRig) -> None:
    """The library's thread waits for each hand-over, so nothing overtakes anything."""
    at_once: list[int] = []
    inside = threading.Lock()
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        ordinary = run.kept.changed

        def look() -> None:
            at_once.append(0 if inside.acquire(blocking=False) else 1)
            ordinary()
            inside.release()

        run.kept.changed = look
        for number in range(50):
            await rig.client_writes(str(number))
        await run.until(lambda: len(run.kept.payloads) == 50)
        events = [e for payload in run.kept.payloads for e in rig.engine.read(payload)]
    assert [e.content for e in events if isinstance(e, Received)] == [
        Text(str(number)) for number in range(50)
    ]
    assert not any(at_once)


async def test_what_was_received_is_kept_when_the_session_stops(
    rig: LinkedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WhatsApp will not repeat what the library took; stopping lets it through first."""
    # On a busy machine the library's thread may pause between two events for longer than usual.
    monkeypatch.setattr(hearing, "QUIET_S", 0.5)
    monkeypatch.setattr(hearing, "DRAIN_S", PATIENCE_S)
    async with running(rig.engine, stop_s=PATIENCE_S) as run:
        await run.state(SessionState.CONNECTED)
        ordinary, begun = run.kept.changed, threading.Event()

        def wait_for_the_goodbye() -> None:
            begun.set()
            rig.library.disconnected.wait(PATIENCE_S)
            ordinary()

        run.kept.changed = wait_for_the_goodbye
        for number in range(200):
            await rig.client_writes(str(number))
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    assert len(run.kept.payloads) == 200


async def test_many_channels_start_and_stop_one_by_one(tmp_path: Path, rig: LinkedRig) -> None:
    """Twenty channels that start, send and stop together never meet inside the library."""
    rigs = []
    for number in range(20):
        store = tmp_path / "many" / f"{number}.db"
        pair(store)
        rigs.append(LinkedRig(store, rig.proxy, library=rig.library))

    async def live(one: LinkedRig) -> None:
        async with running(one.engine, stop_s=PATIENCE_S) as run:  # the last waits for all others
            await run.state(SessionState.CONNECTED)
            assert isinstance(await one.engine.send(reply_to(one, "hello")), Delivered)

    async with asyncio.TaskGroup() as group:
        for one in rigs:
            group.create_task(live(one))
    assert len(rig.library.sent) == 20
    assert not rig.library.clients


class Dialling:
    """A dialling of the pretended library that lasts until a test ends it."""

    def __init__(self, rig: LinkedRig) -> None:
        self.began, self._over = threading.Event(), threading.Event()
        rig.library.before_device = self._dial

    def _dial(self) -> None:
        self.began.set()
        self._over.wait(PATIENCE_S)

    def end(self) -> None:
        self._over.set()


async def test_a_client_that_is_dialling_is_not_removed(rig: LinkedRig) -> None:
    """Removed too early, a client ends the process or goes on unseen; so stopping waits for it."""
    dialling = Dialling(rig)
    task = asyncio.create_task(rig.engine.run(Running().kept, lambda *_: None))
    await asyncio.to_thread(dialling.began.wait, PATIENCE_S)
    task.cancel()
    await settle()
    assert not task.done()
    dialling.end()
    await asyncio.wait([task])
    assert not rig.library.clients


async def test_a_client_that_dials_for_too_long_is_removed_when_it_turns_up(
    rig: LinkedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop is bounded whatever the library does, and yet no client is left online unseen."""
    monkeypatch.setattr(client_module, "CLOSE_S", 0.05)
    dialling = Dialling(rig)
    task = asyncio.create_task(rig.engine.run(Running().kept, lambda *_: None))
    await asyncio.to_thread(dialling.began.wait, PATIENCE_S)
    task.cancel()
    await asyncio.wait([task])
    assert rig.library.clients
    dialling.end()
    assert await asyncio.to_thread(rig.library.removed.wait, PATIENCE_S)
    assert not rig.library.clients


REFUSED = "Got 403: main device gone connect failure, sending LoggedOut event and deleting session"


async def test_a_client_that_was_refused_before_it_knew_whose_it_was(
    rig: LinkedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would never tell; so its log counts, and should it turn up after all, it is removed."""
    monkeypatch.setattr(client_module, "MUTE_S", 0.05)
    looks = threading.Event()
    rig.library.log_line = REFUSED
    rig.library.before_telling = looks.wait  # for ever, else it would turn up by itself
    async with running(rig.engine) as run:
        await run.state(SessionState.LOGGED_OUT)
        assert "locked" in run.reports.states[-1][1]
        unpair(rig.store)
        assert await asyncio.to_thread(rig.library.disconnected.wait, PATIENCE_S)
        looks.set()
        assert await asyncio.to_thread(rig.library.removed.wait, PATIENCE_S)
        assert not rig.library.clients


async def test_a_client_that_was_refused_and_tells_so_is_removed(rig: LinkedRig) -> None:
    """Its log comes first, but the client is given time to say whose it is."""
    rig.library.log_line = REFUSED
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        unpair(rig.store)
        rig.library.happens(Code.LOGGED_OUT)
        await run.state(SessionState.LOGGED_OUT)
        assert await asyncio.to_thread(rig.library.removed.wait, PATIENCE_S)


async def test_a_message_that_the_library_withholds_is_handed_over(rig: LinkedRig) -> None:
    """Also if its log told of it before the library said whose device it is."""
    rig.library.log_line = f"Ignoring message 3A01 from {samples.PHONE[0]}@s.whatsapp.net: old"
    async with running(rig.engine) as run:
        await run.until(lambda: bool(run.kept.payloads))
        rig.library.overhear(rig.library.log_line.replace("3A01", "3A02"))
        await run.until(lambda: len(run.kept.payloads) == 2)
        told = [event for raw in run.kept.payloads for event in rig.engine.read(raw)]
    assert [event.id for event in told if isinstance(event, Withheld)] == ["3A01", "3A02"]


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    async with Far().listening() as host:
        yield host
        await hang_up()


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Hold:
    """Lets go what the library says when a test does, to wherever it is led."""
    keeping = Hold()
    monkeypatch.setattr(tunnel_module, "first_hop", lambda _, host, port: Hop(host, port))
    monkeypatch.setattr(client_module, "Tunnel", partial(Tunnel, hold=keeping))
    return keeping


async def test_what_could_not_be_handed_over_is_not_confirmed(
    rig: LinkedRig, far: Far, hold: Hold
) -> None:
    """The way to WhatsApp is cut, with whatever the library has said and is kept back."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        near, there = await through(rig.library.way, far)
        await confirm(near, there, hold)

        def refuse() -> None:
            raise OSError(28, "No space left on device")

        run.kept.changed = refuse
        rig.library.happens(Code.MESSAGE, samples.message(samples.source(samples.PHONE)))
        await run.state(SessionState.FAILED)
        hold.let_go.set()
        assert await there[0].read() == b""


async def test_what_a_library_cannot_tell_is_confirmed(
    rig: LinkedRig, far: Far, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else WhatsApp would repeat it for ever. It is given time, but brought nothing more."""
    waiting = asyncio.Event()

    class Watched(Tunnel):
        async def answered(self) -> None:
            waiting.set()
            await super().answered()

    monkeypatch.setattr(client_module, "Tunnel", partial(Watched, hold=hold))
    monkeypatch.setattr(tunnel_module, "ANSWER_S", 1e6)
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        near, there = await through(rig.library.way, far)
        await shake_hands(near, there)
        rig.library.break_stream("proto: required field not set")
        async with asyncio.timeout(PATIENCE_S):
            await waiting.wait()
        assert not rig.library.disconnected.is_set()
        near[1].write(b"confirmed")
        await hold.begun()
        assert await asyncio.to_thread(rig.library.disconnected.wait, PATIENCE_S)
        there[1].write(b"one message more")
        hold.let_go.set()
        assert await there[0].readexactly(9) == b"confirmed"
        assert await near[0].read() == b""


async def test_a_device_gone_from_the_file_is_told(rig: LinkedRig) -> None:
    """A client that asks for a pairing cannot be removed; the channel says what it lacks."""
    rig.library.device_gone = True
    async with running(rig.engine) as run:
        await run.state(SessionState.UNPAIRED)
        assert "holds no device" in run.reports.states[-1][1]


# --- Sending --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("no LID found for 79161234567@s.whatsapp.net from server", Dead),
        ("server returned error 463", Closed),
        ("server returned error 479", Dead),
        ("failed to send message node: websocket not connected", Retry),
        ("timed out waiting for message send response", Unknown),
        ("websocket not connected", Unknown),
    ],
)
async def test_a_failed_send_is_told_apart(
    rig: LinkedRig, error: str, outcome: type[object]
) -> None:
    """Refused, not sent and "nobody knows" are three different outcomes."""
    rig.library.answer = lambda: samples.answer(error=error)
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        result = await rig.engine.send(reply_to(rig, "x"))
    assert isinstance(result, outcome)
    assert "79161234567" not in repr(result)


async def test_a_send_that_never_got_its_turn_was_not_sent(
    rig: LinkedRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another channel holds the library for too long: a retry, not "nobody knows"."""
    monkeypatch.setattr(caller, "ENTER_S", 0.05)
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        async with rig.library.gate.change():
            assert isinstance(await rig.engine.send(reply_to(rig, "x")), Retry)
        assert not rig.library.sent
        assert isinstance(await rig.engine.send(reply_to(rig, "x")), Delivered)


async def test_typing_is_shown_and_never_fails(rig: LinkedRig) -> None:
    """To the client of the reply, while connected; the library's trouble with it is nobody's."""
    await rig.engine.show_typing(reply_to(rig, "too early").to)
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        await rig.engine.show_typing(reply_to(rig, "x").to)
        rig.library.typing_error = b"can't send presence"
        await rig.engine.show_typing(reply_to(rig, "x").to)
    assert rig.library.typed == ["79161234567", "79161234567"]


async def test_a_number_without_whatsapp_is_904(rig: LinkedRig) -> None:
    """amoCRM has a number of its own for a client who is not on WhatsApp."""
    rig.library.answer = lambda: samples.answer(
        error="no LID found for 7@s.whatsapp.net from server"
    )
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        result = await rig.engine.send(reply_to(rig, "x"))
    assert isinstance(result, Dead)
    assert (result.failure, result.tell) == (Failure.NO_SUCH_CLIENT, "not_on_whatsapp")


async def test_one_message_of_a_channel_at_a_time(rig: LinkedRig) -> None:
    """Sends of a channel wait for each other: which one failed is never in doubt."""
    together: list[bool] = []
    inside = threading.Lock()

    def answer() -> bytes:
        together.append(not inside.acquire(blocking=False))
        inside.release()
        return samples.answer()

    rig.library.answer = answer
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        await asyncio.gather(*(rig.engine.send(reply_to(rig, str(n))) for n in range(20)))
    assert together == [False] * 20


async def test_a_channel_with_another_number_does_not_send(rig: LinkedRig) -> None:
    """A reply belongs to a number; after a pairing with another number it is held back."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        reply = replace(reply_to(rig, "x"), own=OwnNumber("74950000002"))
        assert isinstance(await rig.engine.send(reply), Retry)
    assert not rig.library.sent


async def test_a_hidden_client_is_answered_by_his_hidden_identity(rig: LinkedRig) -> None:
    """Where the number is not known, the reply goes the way the message came."""
    async with running(rig.engine) as run:
        await run.state(SessionState.CONNECTED)
        where = samples.source(samples.LID)
        rig.library.happens(Code.MESSAGE, samples.message(where))
        await run.until(lambda: bool(run.kept.payloads))
        (event,) = rig.engine.read(run.kept.payloads[0])
        assert isinstance(event, Received)
        await rig.engine.send(replace(reply_to(rig, "x"), to=event.client.address))
    ((to, _),) = rig.library.sent
    jid = protobufs.load().JID.FromString(to)
    assert (jid.User, jid.Server) == samples.LID


@pytest.fixture
def unused_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
