"""The sockets the relay listens on: handed down by systemd, or opened here."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from relay.app.systemd import inherited_sockets
from relay.config.addresses import Address
from relay.config.model import Config
from relay.web.server import address, bind, bind_unix

_log = structlog.stdlib.get_logger("relay")

CONTROL = "relay.sock"
"""Name of the control socket in the storage directory."""


class ListenError(Exception):
    """An address cannot be listened on; the text says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The open sockets: for hooks, for admin, and the control socket of the command line."""

    hooks: socket.socket
    admin: socket.socket
    control: socket.socket


def listen(config: Config, environment: Mapping[str, str]) -> Listening:
    """Take over systemd's sockets (``FileDescriptorName=listen`` and ``admin``) or open our own.

    A socket of systemd outlives a restart of the relay: hooks wait in it and none is refused.

    Raises:
        ListenError: an address cannot be listened on.
    """
    inherited = inherited_sockets(environment)
    hooks = inherited.get("listen") or _bind("server.listen", config.server.listen)
    try:
        admin = inherited.get("admin") or _bind("server.admin_listen", config.server.admin_listen)
        control = _bind_control(config.storage.directory / CONTROL)
    except ListenError:
        hooks.close()
        raise
    _log.info(
        "listening", hooks=address(hooks), admin=address(admin), from_systemd=sorted(inherited)
    )
    return Listening(hooks, admin, control)


def control_path(storage: Path) -> Path:
    """Where the running relay can be asked how it is."""
    return storage / CONTROL


def _bind_control(path: Path) -> socket.socket:
    try:
        return bind_unix(path)
    except OSError as error:
        raise ListenError(
            f"storage.directory: cannot listen on {path}: {error.strerror or error}; "
            "the directory must be writable, and its path shorter than a hundred characters"
        ) from error


def _bind(key: str, where: Address) -> socket.socket:
    try:
        return bind(where.host, where.port)
    except OSError as error:
        raise ListenError(
            f"{key}: cannot listen on {where}: {error.strerror or error}; "
            "choose another address or stop what uses it"
        ) from error
