"""What a client hears from the library: on its own thread, one event after the other.

Each is where it belongs before the library goes on, for what it has handed over it confirms to
WhatsApp.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import cast

import structlog

from relay.delivery.ports import HandOver
from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.events import HANDED_OVER, Code
from relay.whatsapp.linked_device.importing import Archive
from relay.whatsapp.linked_device.numbers import stranger_in
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.protobufs import OwnDevice, as_text, parse
from relay.whatsapp.linked_device.threads import tell
from relay.whatsapp.linked_device.withheld import read_withheld

DRAIN_S = 1.5
QUIET_S = 0.05

LAST = b"last"
"""What is announced beside the code of history, if WhatsApp says that it was the last."""

log = structlog.get_logger(__name__)


class Hearing:
    """The way of one client's events. ``own`` is whose device it is, once the library has said so.

    Messages and receipts go to ``hand_over``, the past into the ``archive``. On the loop, ``known``
    is called once ``own`` is, ``announce`` with every event that is not handed over, ``broken``
    when one could not be taken, and ``on_stranger`` with the hidden address of whoever a message
    came from without a number beside it. ``name_in`` is asked on the client's thread.
    """

    def __init__(
        self,
        hand_over: HandOver,
        archive: Archive | None,
        *,
        known: Callable[[], None],
        announce: Callable[[int, bytes], None],
        broken: Callable[[BaseException], None],
        name_in: Callable[[bytes], str | None] | None,
        on_stranger: Callable[[str], None] | None,
    ) -> None:
        self.own: OwnNumber | None = None
        self._device: OwnDevice | None = None
        # What is overheard in the moment before the library says whose device it is; no more than
        # WhatsApp repeats in that moment.
        self._overheard: list[str] = []
        self._knowing = threading.Lock()
        self._hand_over = hand_over
        self._archive = archive
        self._known = known
        self._announce = announce
        self._broken = broken
        self._name_in = name_in
        self._on_stranger = on_stranger
        self._loop = asyncio.get_running_loop()
        self._busy = False
        self._heard_at = time.monotonic()

    def hear(self, code: int, data: bytes) -> None:
        """Take one event; nothing is ever raised into the library."""
        self._busy = True
        self._try(code, data)
        self._heard_at = time.monotonic()
        self._busy = False

    def _try(self, code: int, data: bytes) -> None:
        try:
            self._take(code, data)
        except BaseException as error:  # noqa: BLE001 - nothing may be raised into the library
            # Without a traceback: some formatters add local variables, and a message is among them.
            log.error("event_not_handed_over", code=code, error=f"{type(error).__name__}: {error}")
            tell(self._loop, self._broken, error)

    def _take(self, code: int, data: bytes) -> None:
        if code == Code.DEVICE:
            self._learn_whose(cast(OwnDevice, parse("Device", data)))
            tell(self._loop, self._known)
        elif code in HANDED_OVER or code == Code.HISTORY:
            if self.own is None:
                raise RuntimeError("an event came before the library said whose device it is")
            if code == Code.HISTORY:
                self._keep_past(self.own, data)
                return
            for past in self._archive.before(self.own, code, data) if self._archive else ():
                self._hand_over.from_thread(past)
            named = code == Code.MESSAGE and self._name_in is not None
            name = self._name_in(data) if named and self._name_in else None
            self._hand_over.from_thread(wrap(RawEvent(code, self.own, data, name)))
            self._point_out_stranger(code, data)
        else:
            tell(self._loop, self._announce, code, data)

    def overhear(self, line: str) -> None:
        """Take a line of the library's log that tells of a message it withholds; on any thread.

        Nothing is ever raised into the library.
        """
        with self._knowing:
            device = self._device
            if device is None:
                self._overheard.append(line)
                return
        event = read_withheld(line, device, int(time.time() * 1000))
        if event is None:
            log.error("library_log_unreadable", error="a message that is ignored is not named")
        else:
            self._try(Code.WITHHELD, event)

    def _learn_whose(self, device: OwnDevice) -> None:
        self.own = OwnNumber(as_text(device.JID.User))
        with self._knowing:
            self._device, early = device, self._overheard
            self._overheard = []
        for line in early:
            self.overhear(line)

    def _keep_past(self, own: OwnNumber, data: bytes) -> None:
        if self._archive is not None:
            last = self._archive.keep_past(own, data)
            tell(self._loop, self._announce, int(Code.HISTORY), LAST if last else b"")

    def _point_out_stranger(self, code: int, data: bytes) -> None:
        """Only point: the library must not be called from its own thread."""
        if self._on_stranger is None:
            return
        try:
            hidden = stranger_in(code, data)
        except ValueError:
            return  # it is in the journal, and will be found unreadable there
        if hidden is not None:
            tell(self._loop, self._on_stranger, hidden)

    async def drain(self) -> None:
        """Wait until no event has come for a moment: the library has told WhatsApp it has them."""
        until = time.monotonic() + DRAIN_S
        while time.monotonic() < until:
            quiet_s = time.monotonic() - self._heard_at
            if not self._busy and quiet_s >= QUIET_S:
                return
            await asyncio.sleep(QUIET_S)
