"""Bundles go once their files are on the disk; whoever asks for that gets no answer before."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import cast

from structlog.testing import capture_logs

from relay.media.settling import Settling
from relay.media.shelf import Shelf


class SlowShelf:
    """Every look finds a full bundle, six in all; to settle the first takes until ``go``."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.settled: list[str] = []
        self._ended = deque(map(Path, "abcdef"))

    def ended_bundle(self, *, at_once: bool = False) -> Path | None:
        del at_once
        return self._ended.popleft() if self._ended else None

    def settle(self, bundle: Path) -> None:
        if bundle.name == "a":
            self.begun.set()
            assert self.go.wait(60)
        self.settled.append(bundle.name)


def test_it_is_told_only_when_what_another_thread_settles_is_done_too() -> None:
    """Else a file could be removed that a start would make again of its bundle."""
    shelf = SlowShelf()
    with ThreadPoolExecutor(2) as threads:
        settling = Settling(cast(Shelf, shelf), threads)
        for _ in range(5):
            settling.see()
        assert shelf.begun.wait(60)
        told = threads.submit(settling.settle)
        early, _ = wait([told], timeout=0.2)  # nothing is to happen, however long one looks
        shelf.go.set()
        told.result(60)
        assert not early
        assert sorted(shelf.settled) == list("abcdef")


def test_a_fault_on_a_thread_for_which_nobody_waits_is_told() -> None:
    """Were it of our own making, it would be seen by nobody else."""

    class Broken(SlowShelf):
        def settle(self, bundle: Path) -> None:
            raise TypeError(bundle.name)

    with capture_logs() as logs, ThreadPoolExecutor(2) as threads:
        settling = Settling(cast(Shelf, Broken()), threads)
        for _ in range(5):
            settling.see()
    assert [(line["event"], line["error"]) for line in logs] == [
        ("media_not_settled", "TypeError('a')")
    ]
