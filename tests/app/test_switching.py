"""Which thread has its turn, and how soon."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from relay.app.switching import go_first, switch_soon

_THREADS = """
import os, threading
from contextlib import suppress
from pathlib import Path
from relay.app.switching import go_first
from relay.whatsapp.linked_device.neonize_binding import load_library
before = {task.name for task in Path("/proc/self/task").iterdir()}
go_first()
loading = threading.Thread(target=load_library)
loading.start()
loading.join()
ours = os.getpriority(os.PRIO_PROCESS, 0)
for task in Path("/proc/self/task").iterdir():
    if task.name not in before:
        with suppress(ProcessLookupError):  # it has ended meanwhile
            print(os.getpriority(os.PRIO_PROCESS, int(task.name)) - ours)
"""


def _may_go_first() -> bool:
    """Whether the system allows it here; root in a container may lack the right."""
    command = [sys.executable, "-c", "import os; os.setpriority(os.PRIO_PROCESS, 0, -10)"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def test_an_event_of_the_library_waits_for_less_than_a_millisecond() -> None:
    """While it waits, the library confirms others to WhatsApp that a kill would lose."""
    before = sys.getswitchinterval()
    try:
        switch_soon()
        assert sys.getswitchinterval() < 0.001
    finally:
        sys.setswitchinterval(before)


def test_the_library_has_its_turn_after_ours() -> None:
    """It would run ahead with messages that it confirms to WhatsApp, and that a kill would lose."""
    command = [sys.executable, "-c", _THREADS]
    told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    nicer = [int(number) for number in told.stdout.split()]
    assert len(nicer) >= 3, "the library has threads of its own"
    assert set(nicer) == ({10} if _may_go_first() else {0})


def test_where_it_is_not_allowed_all_go_on_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay without that right is a relay all the same."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refuse)
    go_first()
