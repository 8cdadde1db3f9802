"""The only module that loads the library: its Go functions, with lengths and pointers hidden.

neonize's Python client classes are left alone on purpose. They keep a thread of asyncio's default
executor per client, send events to whichever loop was first, drop exceptions of handlers, and stop
a client of the same name when they are garbage-collected. The Go functions underneath have none of
that. The version is pinned: what is private in neonize is the same in every installation.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.gate import Gate
from relay.whatsapp.linked_device.library import LibraryMissingError, OnEvent, OnLine
from relay.whatsapp.linked_device.library_log import hear_log
from relay.whatsapp.linked_device.media_access import NOBODY, NOWHERE, media_proxy
from relay.whatsapp.linked_device.neonize_modules import VERSION, import_alone

_LOG_LEVEL = b"INFO"  # at DEBUG the lines of a message cost more than all else about it
_DOCUMENT = 4  # MediaType of the library; it does not matter here
_DEVICE_NAME = "Relay"  # as the phone lists it under "linked devices"; one for all: a Go global
_COMPOSING, _TEXT = 0, 0  # ChatPresence and ChatPresenceMedia of the library


class Neonize:
    """The library itself; implements :class:`~relay.whatsapp.linked_device.library.Library`."""

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
        overhear: OnLine,
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
        on_log = binder.func_callback_bytes2(partial(hear_log, overhear=overhear))
        self._on_log.append(on_log)
        error: bytes = self._go.Neonize(
            database.encode(), uuid.encode(), b"", 0, 0, _LOG_LEVEL,
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

    def get_profile_picture(self, uuid: str, of: bytes, how: bytes) -> bytes:
        """See :class:`Library`."""
        answer: bytes = self._go.GetProfilePicture(uuid.encode(), of, len(of), how, len(how))
        return answer

    def ask_for_media_host(self, uuid: str, proxy: str | None) -> None:
        """See :class:`Library`."""
        self.lead_media(uuid, media_proxy(proxy))  # first: else there might be no way back
        path, nothing = NOWHERE.encode(), b"\0" * 32
        self._go.DownloadMediaWithPath(
            uuid.encode(), path, nothing, 32, nothing, 32, nothing, 32, 0, _DOCUMENT, b"document"
        )

    def upload_to_nobody(self, uuid: str) -> bytes:
        """See :class:`Library`."""
        self.lead_media(uuid, NOBODY)
        answer: bytes = self._go.Upload(uuid.encode(), b"\0", 1, _DOCUMENT)
        return answer

    def lead_media(self, uuid: str, proxy: str) -> bool:
        """See :class:`Library`."""
        settings = self._binder.ProxySettings(proxy, no_websocket=True)._to_c_struct()
        error: bytes = self._go.SetProxyAddress(uuid.encode(), ctypes.byref(settings))
        if error:
            raise ValueError(f"the library refuses its proxy: {error.decode('utf-8', 'replace')}")
        return True

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


def _device_props() -> bytes:
    module = import_alone("proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2")
    props = module.DeviceProps(os=_DEVICE_NAME, platformType=module.DeviceProps.DESKTOP)
    data: bytes = props.SerializeToString()
    return data


@cache
def _load_once() -> Neonize:
    try:
        return Neonize(import_alone("_binder"))
    except (ImportError, OSError, RuntimeError) as error:
        raise LibraryMissingError(f"neonize {VERSION} cannot be loaded: {error}") from error


_loading = threading.Lock()


def load_library() -> Neonize:
    """The library, loaded at the first call: a tenth of a second and 15 MB.

    Raises:
        LibraryMissingError: it is not installed, or not for this machine.
    """
    with _loading:
        return _load_once()
