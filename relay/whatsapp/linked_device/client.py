"""One life of a client in the library: from its registration to its removal.

A client is never used again after it was stopped; the next life has a name of its own, so nothing
that still happens to the old one can touch the new.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import structlog

from relay.delivery.ports import HandOver
from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.caller import Caller
from relay.whatsapp.linked_device.events import SUBSCRIBED, Code
from relay.whatsapp.linked_device.goodbye import read_goodbye
from relay.whatsapp.linked_device.hearing import Hearing
from relay.whatsapp.linked_device.importing import Archive
from relay.whatsapp.linked_device.library import Library
from relay.whatsapp.linked_device.threads import on_own_thread, tell
from relay.whatsapp.linked_device.tunnel import Tunnel

WRITTEN_S = 3.0  # an eternity for opening the session's file and writing the library's maps
REGISTER_S = 90.0  # dialling and the handshake; the library bounds both below this
MUTE_S = 3.0  # the library looks whose device it is ten times a second
CLOSE_S = 4.0  # a goodbye or a dialling; the relay as a whole has ten seconds to stop
REMOVE_S = 15.0  # the library waits up to five for the server's answer to its goodbye

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Who is told what becomes of a client."""

    def heard(self, code: int, data: bytes) -> None:
        """An event that is not handed over came."""
        ...

    def broken(self, error: BaseException) -> None:
        """An event could not be taken or handed over."""
        ...

    def ended(self, words: str) -> None:
        """The client ended though nobody stopped it; the library's last words."""
        ...


class Client:
    """A client of the library, its thread, and the way of its events. ``calls`` are about it.

    ``hand_over`` is called on the client's own thread, before the library goes on to the next
    event; the listener is called on the loop, and so is ``on_stranger``: with the hidden address of
    whoever a message came from without a number beside it, once that message was handed over. The
    past that WhatsApp hands over goes into the ``archive``; without one it is not asked for.
    ``name_in`` tells what the address book calls a message's client, on the client's own thread.
    """

    def __init__(
        self,
        library: Library,
        database: str,
        proxy: str | None,
        hand_over: HandOver,
        listener: Listener,
        *,
        archive: Archive | None = None,
        name_in: Callable[[bytes], str | None] | None = None,
        on_stranger: Callable[[str], None] | None = None,
    ) -> None:
        self._library = library
        self._database = database
        self._listener = listener
        self._subscribed = SUBSCRIBED if archive is None else (*SUBSCRIBED, Code.HISTORY)
        self._hearing = Hearing(
            hand_over,
            archive,
            known=self._confirm,
            announce=self._announce,
            broken=self._break,
            name_in=name_in,
            on_stranger=on_stranger,
        )
        self._tunnel = Tunnel(proxy)
        self._name = uuid.uuid4().hex
        self.calls = Caller(library, self._name, lambda: self._usable, proxy)
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()  # registered, or over before it got so far
        self._ended = asyncio.Event()
        self._registration: asyncio.Task[None] | None = None
        self._late: asyncio.Task[None] | None = None
        self._begun = False
        self._registered = False
        self._stopping = False
        self._left_behind = False

    @property
    def own(self) -> OwnNumber | None:
        """Whose device it is, once the library has said so."""
        return self._hearing.own

    async def start(self) -> None:
        """Register and connect; back once the library says whose device it is, or has failed.

        Cancelling leaves the registration to :meth:`stop`, which must follow in any case.
        """
        way = await self._tunnel.open()
        self._registration = asyncio.create_task(self._register(way), name="register linked device")
        await asyncio.shield(self._registration)

    async def _register(self, way: str) -> None:
        async with self._library.gate.change() as let_calls_in:
            self._begun = True
            threading.Thread(
                target=self._live, args=(way,), name="linked-device", daemon=True
            ).start()
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITTEN_S):
                    await self._settled.wait()
            let_calls_in()
            await self._bounded("connect", self._settled.wait(), REGISTER_S)

    @property
    def _usable(self) -> bool:
        """Whether the library knows the client: a call about one it does not know is fatal."""
        return self._registered and not self._stopping and not self._ended.is_set()

    async def stop(self) -> None:
        """Close the socket, let what was received come through, remove the client.

        The library reads its maps once more when a dialling is over: a client removed before that
        ends the process, or goes on unseen. So a client that is dialling is never removed; if it
        takes too long, it is left behind, and removed when it turns up.
        """
        try:
            await self._end()
        finally:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Close the way to WhatsApp. A client that cannot be stopped is harmless then."""
        await self._tunnel.close()

    async def _end(self) -> None:
        if not self._begun:
            if self._registration is not None:
                self._registration.cancel()
            return
        await self._bounded("connect", self._settled.wait())
        if not self._settled.is_set():
            self._left_behind = True
        elif self._left_behind:
            await self._bounded("disconnect", self.calls.disconnect())
        else:
            await self._close()

    async def _close(self) -> None:
        if not self._registered and not self._ended.is_set():
            # Without a device, the library waits for a pairing, and nothing can end that.
            log.error("client_cannot_be_stopped")
            return
        if self._ended.is_set():
            await self._tunnel.answered()  # else its confirmation might come too late, see _finish
        if self._registered:
            # Also if the stream of events has ended: the socket lives on.
            await self._bounded("disconnect", self.calls.disconnect())
        if not self._ended.is_set():
            await self._hearing.drain()
        self._stopping = True
        async with self._library.gate.change():
            await self._bounded("stop", self._remove(), REMOVE_S)
        await self._bounded("end", self._ended.wait(), 1.0)
        self.calls.close()

    async def _remove(self) -> None:
        await on_own_thread("stop", lambda: self._library.stop(self._name))

    async def _bounded(
        self, what: str, work: Awaitable[object], limit_s: float | None = None
    ) -> None:
        limit_s = CLOSE_S if limit_s is None else limit_s
        try:
            async with asyncio.timeout(limit_s):
                await work
        except TimeoutError:
            log.error("library_hangs", doing=what, after_s=limit_s)

    def _live(self, way: str) -> None:
        """The client's own thread. ``way`` leads to WhatsApp."""
        try:
            words = self._library.run_client(
                self._name,
                self._database,
                way,
                self._subscribed,
                self._hearing.hear,
                overhear=self._overhear,
            )
        except Exception as error:  # noqa: BLE001 - told to the loop, which ends this life
            words = f"{type(error).__name__}: {error}"
        tell(self._loop, self._finish, words)

    def _overhear(self, line: str) -> None:
        """On any thread."""
        goodbye = read_goodbye(line)
        if goodbye is not None:
            tell(self._loop, self._part, goodbye)
        else:
            self._hearing.overhear(line)

    # --- On the loop -----------------------------------------------------------------------------

    def _confirm(self) -> None:
        self._registered = True
        self._settled.set()
        if self._left_behind:
            self._late = asyncio.create_task(self._close(), name="remove linked device")

    def _part(self, goodbye: bytes) -> None:
        """WhatsApp has ended the session. A client that does not know whose it was may be mute."""
        if not self._settled.is_set():
            self._loop.call_later(MUTE_S, self._give_up, goodbye)

    def _give_up(self, goodbye: bytes) -> None:
        if not self._settled.is_set():
            self._announce(Code.LOGGED_OUT, goodbye)
            self._left_behind = True  # a thread and half a megabyte, which nothing can free
            self._settled.set()

    def _announce(self, code: int, data: bytes) -> None:
        if code in (Code.QR, Code.LOGIN_STATUS):
            self._settled.set()
        if not self._left_behind:
            self._listener.heard(code, data)

    def _break(self, error: BaseException) -> None:
        """What could not be handed over must not be confirmed: WhatsApp is to repeat it."""
        self._tunnel.cut()
        self._listener.broken(error)

    def _finish(self, words: str) -> None:
        self._ended.set()
        self._settled.set()
        if not self._stopping and not self._left_behind:
            # Not cut: what the library could not tell it must confirm, else WhatsApp would repeat
            # it, and the next life would end by it as well.
            self._tunnel.bring_no_more()
            self._listener.ended(words)
