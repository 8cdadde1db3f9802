"""The only module that loads neonize: its Go functions, with their lengths and pointers hidden.

Its Python client classes are left alone on purpose. They keep a thread of asyncio's default
executor per client, send events to whichever loop was first, drop exceptions of handlers, and stop
a client of the same name when they are garbage-collected. The Go functions underneath have none of
that. The version is pinned: what is private in neonize is the same in every installation.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import structlog

from relay.domain.phone import masked
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.gate import Gate
from relay.whatsapp.linked_device.media_access import MARK, NOWHERE
from relay.whatsapp.linked_device.protobufs import as_text
from relay.whatsapp.linked_device.protobufs import load as load_protobufs

VERSION = "0.5.2"
_LOG_LEVEL = b"WARN"
_TELLS_ALL = b"DEBUG"  # then the log tells of the media host as well, which nothing else does
_FOR_NOBODY = frozenset({"DEBUG", "INFO"})
_DOCUMENT = 4  # MediaType of the library; it does not matter here
_DEVICE_NAME = "Relay"  # as the phone lists it under "linked devices"; one for all: a Go global
_COMPOSING, _TEXT = 0, 0  # ChatPresence and ChatPresenceMedia of the library
_NUMBER = re.compile(r"\d{7,}")

log = structlog.get_logger(__name__)

OnEvent = Callable[[int, bytes], None]
OnLine = Callable[[str], None]


class LibraryMissingError(Exception):
    """neonize cannot be loaded here, with the reason."""


class Library(Protocol):
    """What the engine uses of the library. Every method but ``gate`` blocks: call from a thread."""

    gate: Gate

    def run_client(
        self,
        uuid: str,
        database: str,
        proxy: str | None,
        subscribed: Sequence[int],
        hear: OnEvent,
        *,
        overhear: OnLine | None = None,
    ) -> str:
        """Register a client, connect, and stay until it is stopped; returns the error, if any.

        ``hear`` is called on this thread, one event after the other; ``overhear`` on any thread,
        with lines of the client's log that tell of the media host. Neither must raise.
        """
        ...

    def disconnect(self, uuid: str) -> None:
        """Close the client's socket. The client must be registered, else the process dies."""
        ...

    def stop(self, uuid: str) -> None:
        """Remove a client; harmless if there is none."""
        ...

    def send_message(self, uuid: str, to: bytes, message: bytes) -> bytes:
        """Send once. The client must be registered, else the process dies."""
        ...

    def show_typing(self, uuid: str, to: bytes) -> bytes:
        """Show somebody that we write; the error, if any. The client must be registered."""
        ...

    def is_on_whatsapp(self, uuid: str, numbers: bytes) -> bytes:
        """Ask for numbers, each with its plus, parted by blanks. The client must be registered."""
        ...

    def get_pn_from_lid(self, uuid: str, jid: bytes) -> bytes:
        """Look a hidden address up in the client's own file. The client must be registered."""
        ...

    def ask_for_media_host(self, uuid: str) -> None:
        """Have the client told of the media host, if what it knows is old; see ``overhear``.

        The client must be registered.
        """
        ...

    def get_contacts(self, uuid: str) -> bytes:
        """The phone's address book, from the client's own file. The client must be registered."""
        ...

    def pair_phone(self, uuid: str, request: bytes) -> bytes:
        """Ask for the letters that link by number; only after the client's first QR code."""
        ...

    def get_me(self, uuid: str) -> bytes:
        """Whose device it is. The client must be registered, else the process dies."""
        ...

    def logout(self, uuid: str) -> str:
        """Remove the device at WhatsApp and its keys from the file; returns the error, if any.

        The client must be registered, else the process dies; it must be stopped afterwards.
        """
        ...


class Neonize:
    """The library itself."""

    def __init__(self, binder: Any) -> None:
        self.gate = Gate()
        self._binder = binder
        self._go = binder.gocode
        self._props = _device_props()
        # They must live as long as any Go thread logs, which is as long as the process.
        self._on_log: list[object] = []

    def run_client(
        self,
        uuid: str,
        database: str,
        proxy: str | None,
        subscribed: Sequence[int],
        hear: OnEvent,
        *,
        overhear: OnLine | None = None,
    ) -> str:
        """See :class:`Library`."""
        binder = self._binder

        def on_event(_: bytes, address: int, size: int, code: int) -> None:
            hear(code, ctypes.string_at(address, size))

        def on_qr(_: int, address: int) -> None:
            """A text to show as QR code; only a client without a device gets them."""
            hear(Code.QR, ctypes.string_at(address))

        def on_login_status(_: int, address: int) -> None:
            """How the showing of codes ended: one word."""
            hear(Code.LOGIN_STATUS, ctypes.string_at(address))

        settings = binder.ProxySettings(proxy)._to_c_struct() if proxy else None
        events = (ctypes.c_char * len(subscribed)).from_buffer(bytearray(subscribed))
        callbacks = (
            binder.func_string(on_qr),
            binder.func_string(on_login_status),
            binder.func_callback_bytes(on_event),
        )
        level = _LOG_LEVEL if overhear is None else _TELLS_ALL
        on_log = binder.func_callback_bytes2(partial(_hear_log, overhear=overhear))
        self._on_log.append(on_log)
        error: bytes = self._go.Neonize(
            database.encode(), uuid.encode(), b"", 0, 0, level,
            *callbacks, on_log, events, len(subscribed),
            self._props, len(self._props), b"", 0,
            ctypes.byref(settings) if settings is not None else None,
        )  # fmt: skip
        return error.decode("utf-8", "replace")

    def disconnect(self, uuid: str) -> None:
        """See :class:`Library`."""
        self._go.Disconnect(uuid.encode())

    def stop(self, uuid: str) -> None:
        """See :class:`Library`."""
        self._go.Stop(uuid.encode())

    def send_message(self, uuid: str, to: bytes, message: bytes) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.SendMessage(uuid.encode(), to, len(to), message, len(message))
        return answer

    def show_typing(self, uuid: str, to: bytes) -> bytes:
        """See :class:`Library`."""
        error: bytes = self._go.SendChatPresence(uuid.encode(), to, len(to), _COMPOSING, _TEXT)
        return error

    def is_on_whatsapp(self, uuid: str, numbers: bytes) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.IsOnWhatsApp(uuid.encode(), numbers, len(numbers))
        return answer

    def get_pn_from_lid(self, uuid: str, jid: bytes) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.GetPNFromLID(uuid.encode(), jid, len(jid))
        return answer

    def ask_for_media_host(self, uuid: str) -> None:
        """See :class:`Library`."""
        path, nothing = NOWHERE.encode(), b"\0" * 32
        self._go.DownloadMediaWithPath(
            uuid.encode(), path, nothing, 32, nothing, 32, nothing, 32, 0, _DOCUMENT, b"document"
        )

    def get_contacts(self, uuid: str) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.GetAllContacts(uuid.encode())
        return answer

    def pair_phone(self, uuid: str, request: bytes) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.PairPhone(uuid.encode(), request, len(request))
        return answer

    def get_me(self, uuid: str) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.GetMe(uuid.encode())
        return answer

    def logout(self, uuid: str) -> str:
        """See :class:`Library`."""
        error: bytes = self._go.Logout(uuid.encode())
        return error.decode("utf-8", "replace")


@cache
def _load_once() -> Neonize:
    _refuse_download()
    load_protobufs()  # first: it must not meet a half-imported package
    with _quiet_import():
        try:
            # Brings libmagic where the system has none; neonize wants it at import.
            with _search_path_kept():
                importlib.import_module("pylibmagic")
            neonize = importlib.import_module("neonize")
            binder = importlib.import_module("neonize._binder")
        except (ImportError, OSError) as error:
            raise LibraryMissingError(f"neonize cannot be loaded: {error}") from error
    if neonize.__version__ != VERSION:
        raise LibraryMissingError(f"neonize {neonize.__version__} is installed, not {VERSION}")
    return Neonize(binder)


_loading = threading.Lock()


def load_library() -> Neonize:
    """The library, loaded at the first call: half a second and 55 MB.

    Raises:
        LibraryMissingError: it is not installed, or not for this machine.
    """
    with _loading:
        return _load_once()


def _refuse_download() -> None:
    """Refuse what neonize does without its shared library: fetch it from the network."""
    spec = importlib.util.find_spec("neonize")
    places = spec.submodule_search_locations if spec else None
    if not places or not any(
        path.suffix in {".so", ".dylib", ".dll"} for path in Path(next(iter(places))).iterdir()
    ):
        raise LibraryMissingError("neonize, or its shared library, is not installed")


@contextmanager
def _quiet_import() -> Iterator[None]:
    """Let neonize find the root logger configured, else it configures it itself."""
    root, level = logging.getLogger(), logging.getLogger().level
    stand_in = logging.NullHandler()
    root.addHandler(stand_in)
    logging.getLogger("neonize").setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(stand_in)
        root.setLevel(level)


@contextmanager
def _search_path_kept() -> Iterator[None]:
    """Undo what pylibmagic prepends to search paths: every child process would inherit it."""
    names = ("LIBRARY_PATH", "LD_LIBRARY_PATH")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _device_props() -> bytes:
    module = importlib.import_module("neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2")
    props = module.DeviceProps(os=_DEVICE_NAME, platformType=module.DeviceProps.DESKTOP)
    data: bytes = props.SerializeToString()
    return data


def _hear_log(address: int, size: int, overhear: OnLine | None = None) -> None:
    """A line of the library's log, on any thread of Go's."""
    if not address or size <= 0:
        return
    try:
        entry = load_protobufs().LogEntry.FromString(ctypes.string_at(address, size))
        level, line = as_text(entry.Level), as_text(entry.Message)
        if level in _FOR_NOBODY:
            if overhear is not None and MARK in line:
                overhear(line)
        elif NOWHERE not in line:
            source = as_text(entry.Name)
            log.warning("library", source=source, level_there=level, message=without_numbers(line))
    except Exception as error:  # noqa: BLE001 - nothing may be raised into Go
        log.error("library_log_unreadable", error=type(error).__name__)


def without_numbers(text: str) -> str:
    """A text of the library as a log may show it."""
    return _NUMBER.sub(lambda found: masked(found.group()), text)
