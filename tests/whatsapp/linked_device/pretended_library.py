"""Stands for the library: same threads, same order of events, and just as unforgiving.

What would end the process in the real one (an unregistered client used, two clients registered or
removed at once, a call beside either, one removed before its dialling is over) is noted in
``fatal``, which a test expects to stay empty.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.gate import Gate
from tests.whatsapp.linked_device import samples

_STOP = (-1, b"")
_UNASKED = (Code.DEVICE, Code.QR, Code.LOGIN_STATUS)


@dataclass
class PretendedClient:
    """A registered client: what is on its way to its owner, and how it ends."""

    events: queue.Queue[tuple[int, bytes]] = field(default_factory=queue.Queue)
    last_words: str = ""
    online: bool = False
    dialling: bool = True
    stopped: bool = False


class PretendedLibrary:
    """Implements :class:`relay.whatsapp.linked_device.library.Library`."""

    def __init__(self, own: str = samples.OWN) -> None:
        self.gate = Gate(settled_s=0.5)
        self.own = own
        self.name = "Sales"
        self.clients: dict[str, PretendedClient] = {}
        self.sent: list[tuple[bytes, str]] = []
        self.fatal: list[str] = []
        self.started = 0
        self.disconnected = threading.Event()
        self.removed = threading.Event()
        self.dial_error: str | None = None
        self.device_gone = False
        self.before_device: Callable[[], None] = lambda: None
        self.before_telling: Callable[[], object] = lambda: None
        self.log_line = ""
        self.overhear: Callable[[str], None] = lambda line: None
        self.way = ""
        self.answer: Callable[[], bytes] = self._delivered
        self.asked: list[list[str]] = []
        self.typed: list[str] = []
        self.typing_error = b""
        self.book: dict[samples.Address, str] = {}
        self.picture = b""
        self.check: Callable[[list[str]], bytes] = lambda asked: samples.check_answer({}, *asked)
        self.stored: dict[str, samples.Address] = {}
        self.letters_for: list[str] = []
        self.letters = samples.letters("ABCD-EFGH")
        self.logged_out: list[str] = []
        self.logout_error = ""
        self._busy = threading.Lock()

    # --- What a test does ------------------------------------------------------------------------

    def happens(self, code: int, data: bytes = b"") -> None:
        """Something happens on every client there is."""
        for client in list(self.clients.values()):
            client.events.put((code, data))

    def break_stream(self, words: str) -> None:
        """The event stream of every client ends, as after an event that cannot be encoded."""
        for client in list(self.clients.values()):
            client.last_words = words
            client.events.put(_STOP)

    # --- The library -----------------------------------------------------------------------------

    def run_client(
        self,
        uuid: str,
        database: str,
        proxy: str | None,
        subscribed: Sequence[int],
        hear: Callable[[int, bytes], None],
        *,
        overhear: Callable[[str], None],
    ) -> str:
        self.started += 1
        self.overhear = overhear
        self.way = proxy or ""
        client = PretendedClient()
        with self._alone("a registration"):
            self.clients[uuid] = client
            self.before_device()
            client.dialling = False
            if self.dial_error is not None:
                return self.dial_error
            client.online = True
        if self.log_line:
            client.dialling = True  # the library reads its maps once more
            overhear(self.log_line)
            self.before_telling()
            client.dialling = False
        if self.device_gone:
            client.dialling = True  # until somebody pairs it, which nobody will
            hear(Code.QR, b"https://wa.me/first")
        else:
            hear(Code.DEVICE, samples.device(self.own))
            hear(Code.CONNECTED, b"")
        while (event := client.events.get()) != _STOP and not client.stopped:
            code, data = event
            if code == Code.DEVICE:
                client.dialling = False
            if code in subscribed or code in _UNASKED:
                hear(code, data)
        return client.last_words

    def disconnect(self, uuid: str) -> None:
        self._registered(uuid, "disconnect").online = False
        self.disconnected.set()

    def stop(self, uuid: str) -> None:
        if uuid in self.clients and self.clients[uuid].dialling:
            self.fatal.append("a removal of a client that is dialling or waits for a pairing")
        with self._alone("a removal"):
            client = self.clients.pop(uuid, None)
            self.removed.set()
        if client is not None:
            client.stopped = True  # what is still on its way is lost
            client.events.put(_STOP)

    def send_message(self, uuid: str, to: bytes, message: bytes) -> bytes:
        client = self._registered(uuid, "send")
        if not client.online:
            return samples.answer(error="failed to send message node: websocket not connected")
        answer = self.answer()
        body = protobufs.load().Message().Message
        body.MergeFromString(message)
        self.sent.append((to, body.conversation))
        return answer

    def show_typing(self, uuid: str, to: bytes) -> bytes:
        self._registered(uuid, "typing")
        self.typed.append(protobufs.load().JID.FromString(to).User)
        return self.typing_error

    def is_on_whatsapp(self, uuid: str, numbers: bytes) -> bytes:
        self._registered(uuid, "check")
        self.asked.append(numbers.decode().split(" "))
        return self.check(self.asked[-1])

    def get_profile_picture(self, uuid: str, of: bytes, how: bytes) -> bytes:
        self._registered(uuid, "picture")
        return self.picture

    def get_pn_from_lid(self, uuid: str, jid: bytes) -> bytes:
        self._registered(uuid, "look-up")
        if threading.current_thread().name == "linked-device":
            self.fatal.append("a look-up on the library's own thread")
        user = protobufs.load().JID.FromString(jid).User
        return samples.stored(self.stored.get(user, samples.NOWHERE))

    def ask_for_media_host(self, uuid: str, proxy: str | None) -> None:
        del proxy
        self._registered(uuid, "media host")

    def upload_to_nobody(self, uuid: str) -> bytes:
        self._registered(uuid, "an upload")
        return b""

    def lead_media(self, uuid: str, proxy: str) -> bool:
        del proxy
        self._registered(uuid, "the way to the media host")
        return True

    def get_contacts(self, uuid: str) -> bytes:
        self._registered(uuid, "contacts")
        return samples.contacts(self.book)

    def pair_phone(self, uuid: str, request: bytes) -> bytes:
        self._registered(uuid, "letters")
        self.letters_for.append(protobufs.load().PairPhoneParams.FromString(request).phone)
        return self.letters

    def get_me(self, uuid: str) -> bytes:
        self._registered(uuid, "name")
        return samples.device(self.own, self.name)

    def logout(self, uuid: str) -> str:
        self._registered(uuid, "logout")
        self.logged_out.append(self.own)
        return self.logout_error

    def _delivered(self) -> bytes:
        return samples.answer(id_=f"3EB0{len(self.sent):04}")

    def _registered(self, uuid: str, what: str) -> PretendedClient:
        if self._busy.locked():
            self.fatal.append(f"{what} beside a registration or a removal")
        client = self.clients.get(uuid)
        if client is None:
            self.fatal.append(f"{what} of a client that is not registered")
            raise AssertionError(self.fatal[-1])
        return client

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            self.fatal.append(f"{what} beside another change")
            yield
            return
        try:
            yield
        finally:
            self._busy.release()
