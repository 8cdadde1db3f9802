"""What the library demands of the whole process: its environment, its standard output, its end.

Nothing here loads the library; the command line calls these before anything else.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

_REQUIRED = {
    # Else every text to a phone number carries a mark of a business robot.
    "NEONIZE_BOT_TAG": "off",
}


def required_environment() -> Mapping[str, str]:
    """Variables that must exist when the process is exec'ed.

    The library's Go part copies the environment at exec; what Python sets later it never sees.
    """
    return dict(_REQUIRED)


def reexec_if_needed(argv: Sequence[str] | None = None) -> None:
    """Start this very process again, once, if the required environment is not there.

    The process keeps its id, its descriptors and its place under a supervisor. ``argv`` is the
    whole command line of the interpreter; left out: the one this process was started with.
    Returns if the environment is right, and does not return otherwise.
    """
    missing = {k: v for k, v in _REQUIRED.items() if os.environ.get(k) != v}
    if not missing:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    command = list(argv) if argv is not None else [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, {**os.environ, **missing})  # noqa: S606 - our own command


def mute_library_output() -> None:
    """Give the library's prints ("Login event", "SendMessage") a standard output of their own.

    Its Go part writes to descriptor 1, numbers included. From here on that is the null device, and
    ``sys.stdout`` writes to where 1 used to lead. Call it before anyone keeps ``sys.stdout``.
    """
    sys.stdout.flush()
    ours = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    sys.stdout = os.fdopen(ours, "w", encoding="utf-8", errors="replace", buffering=1)


def exit_process(code: int) -> NoReturn:
    """Leave at once, with everything written, whatever the library's threads are doing.

    An unpaired or dialling client of the library never gives its thread back, and a normal exit of
    the interpreter would wait for it.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # closed or broken: there is nobody to tell any more
            continue
    os._exit(code)
