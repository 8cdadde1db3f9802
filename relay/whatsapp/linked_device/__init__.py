"""The engine "linked device": a WhatsApp Web session on neonize 0.5.2.

Everything of neonize ends here: no type, no thread and no trap of it is seen outside. Two modules
touch it: ``protobufs`` its message classes, ``library`` its shared library.
"""

from relay.whatsapp.linked_device.engine import LinkedDevice
from relay.whatsapp.linked_device.process import (
    exit_process,
    mute_library_output,
    reexec_if_needed,
    required_environment,
)

__all__ = [
    "LinkedDevice",
    "exit_process",
    "mute_library_output",
    "reexec_if_needed",
    "required_environment",
]
