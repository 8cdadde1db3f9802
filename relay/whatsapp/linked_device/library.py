"""What the linked device uses of the library, as a port: the real one is in ``neonize_binding``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from relay.whatsapp.linked_device.gate import Gate

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
        overhear: OnLine,
    ) -> str:
        """Register a client, connect, and stay until it is stopped; returns the error, if any.

        ``hear`` is called on this thread, one event after the other; ``overhear`` on any thread,
        with lines of the client's log that tell what no event does. Neither must raise.
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

    def get_profile_picture(self, uuid: str, of: bytes, how: bytes) -> bytes:
        """Ask where somebody's picture lies. The client must be registered."""
        ...

    def ask_for_media_host(self, uuid: str, proxy: str | None) -> None:
        """Have the client told of the media host, if what it knows is old.

        ``proxy`` is that of the client, which must be registered.

        Raises:
            ValueError: its way there, which includes the environment's proxy, cannot be told.
        """
        ...

    def upload_to_nobody(self, uuid: str) -> bytes:
        """The answer to an upload that cannot succeed, which tells of the media host.

        From then on the client's own uploads and downloads lead nowhere, until
        :meth:`lead_media`. The client must be registered.
        """
        ...

    def lead_media(self, uuid: str, proxy: str) -> bool:
        """Have the client's own uploads and downloads go through a proxy, or directly; True.

        The client must be registered.

        Raises:
            ValueError: the library cannot use such a proxy.
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
