"""The engine "linked device": a WhatsApp Web session on neonize 0.5.2.

Everything of neonize ends here: no type, no thread and no trap of it is seen outside. Two modules
touch it: ``protobufs`` its message classes, ``library`` its shared library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.whatsapp.linked_device.process import (
    exit_process,
    mute_library_output,
    reexec_if_needed,
    required_environment,
)

if TYPE_CHECKING:
    from relay.whatsapp.linked_device.engine import LinkedDevice

__all__ = [
    "LinkedDevice",
    "exit_process",
    "mute_library_output",
    "reexec_if_needed",
    "required_environment",
]


def __getattr__(name: str) -> object:
    """The engine, loaded where it is used: with it come ten megabytes."""
    if name != "LinkedDevice":
        raise AttributeError(name)
    from relay.whatsapp.linked_device.engine import LinkedDevice  # noqa: PLC0415

    return LinkedDevice
