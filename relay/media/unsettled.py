"""Small files that have no files of their own yet: what is in which bundle, and how that ends.

All of it is for threads. A file gets its own when its bundle is settled, or when somebody needs it
before.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from relay.media.beside import MANY, written_beside
from relay.media.bundles import records
from relay.media.disk import sync_files, sync_folder, write_new
from relay.media.names import FileName, State, parse_on_disk, path_of, state_of, token_of
from relay.media.small import Bundled

_log = structlog.stdlib.get_logger("relay.media")

_AT_ONCE = 64  # files that are on their way to the disk while one of them is waited for


class Unsettled:
    """What only bundles hold. ``lock``: whoever shows, marks or removes a file has it."""

    def __init__(self, files: Path, lock: threading.Lock) -> None:
        self._files = files
        self._lock = lock
        self._bundled: dict[str, Bundled] = {}  # by token: few, for a bundle is soon settled
        self._names: dict[Path, list[FileName]] = {}  # what is in a bundle

    def get(self, token: str) -> Bundled | None:
        """The file with that token, if it has none of its own."""
        return self._bundled.get(token)

    def add(self, one: Bundled, content: bytes) -> None:
        """It is in its bundle. What goes to WhatsApp is wanted at once, as a file of its own."""
        self._names.setdefault(one.place.bundle, []).append(one.name)
        if one.state is State.OWN:
            self._write(one, content)
        else:
            with self._lock:
                self._bundled[one.name.token] = one

    def unbundle(self, one: Bundled) -> None:
        """It gets a file of its own, for which the disk is not waited for.

        Raises:
            OSError: the disk refused.
        """
        with suppress(FileNotFoundError):  # its bundle went in this very moment, settled
            self._write(one, one.read())

    def settle(self, bundle: Path) -> None:
        """Everything in it is on the disk in files of their own; it goes.

        Raises:
            OSError: the disk refused; it stays, and the next start sees to it.
        """
        names = self._names[bundle]
        beside = self._settle_beside(bundle, names)
        rest = [name for name in names if name.token not in beside]
        for start in range(0, len(rest), _AT_ONCE):
            some = rest[start : start + _AT_ONCE]
            for name in some:
                if (one := self._only_in(bundle, name)) is not None:
                    self.unbundle(one)
            sync_files(path_of(self._files, name) for name in some)
        for first in {name.token[0] for name in rest}:
            sync_folder(self._files / first)
        bundle.unlink()
        del self._names[bundle]

    def mend(self, bundle: Path, key: bytes) -> None:
        """Make again what an earlier process kept: it may be whole, torn, or not there.

        Raises:
            OSError: the disk refused.
        """
        aside = Path(f"{bundle}.new")
        aside.unlink(missing_ok=True)
        names = self._names[bundle] = []
        for on_disk, content in records(bundle):
            name = parse_on_disk(on_disk)
            digest = hashlib.sha256(content).digest()
            if name is None or token_of(key, digest, name.name) != name.token:
                return  # torn here
            path = path_of(self._files, name)
            state = State.NEW  # of one that is not there: rather kept too long
            with suppress(FileNotFoundError):
                state = state_of(Path(path).stat().st_mode)
            write_new(str(aside), content, state)
            aside.replace(path)  # what is there may be no more than a memory of its bytes
            names.append(name)

    def _settle_beside(self, bundle: Path, names: Sequence[FileName]) -> set[str]:
        """Tokens of those that a process beside gave files of their own; the rest is left to us."""
        ones = {one.name.token: one for name in names if (one := self._only_in(bundle, name))}
        asked = {token: one.state for token, one in ones.items()}
        if len(ones) < MANY:
            return set()
        try:
            shown = written_beside(bundle, self._files, list(ones.values()))
        except OSError as error:
            _log.warning("media_not_settled_beside", error=str(error))
            return set()
        with self._lock:
            for one in shown:
                token = one.name.token
                if self._bundled.get(token) is one:  # it has not come again since
                    del self._bundled[token]
                if one.state is not asked[token]:
                    with suppress(FileNotFoundError):
                        Path(path_of(self._files, one.name)).chmod(one.state)
        return {one.name.token for one in shown}

    def _only_in(self, bundle: Path, name: FileName) -> Bundled | None:
        """The file of that name, if it has no other place than this bundle."""
        one = self._bundled.get(name.token)
        return one if one is not None and one.place.bundle == bundle else None

    def _write(self, one: Bundled, content: bytes) -> None:
        """Write its own file, as old as it is; unless it has come again since, or has one."""
        path, token = path_of(self._files, one.name), one.name.token
        with self._lock:
            if self._bundled.get(token, one) is not one:
                return
            try:
                write_new(path, content, one.state)
            except FileExistsError:
                renew(path, one.state, one.since_ns)
            else:
                os.utime(path, ns=(one.since_ns, one.since_ns))
            self._bundled.pop(token, None)


def renew(path: str, state: State, since_ns: int) -> None:
    """One that was there already is as young and as wanted as if it were new.

    Raises:
        FileNotFoundError: there is none.
        OSError: the disk refused.
    """
    os.utime(path, ns=(since_ns, since_ns))
    if state is not State.OWN:
        Path(path).chmod(state)
