"""Puts new content into the file: whole or not at all, and never over somebody else's change.

The new file stands beside the old one until it is complete and on disk, has its owner, its mode
and its extended attributes, and takes its place by one rename. The old one stays beside it, dated.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shlex
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

KEPT_COPIES: Final = 5
"""So many former versions stay beside the file."""

_UNIT_FILE: Final = Path("/proc/self/cgroup")


class StaleFileError(Exception):
    """The file is not the one that was read: nothing was written."""


class NotWritableError(Exception):
    """This process may not write the file; the text is the command that would allow it."""


def version_of(content: bytes) -> str:
    """What tells one content of the file from every other."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes, before: str, now_ms: int) -> None:
    """Put new content in the place of the version ``before``; links stay links.

    Raises:
        StaleFileError: the file has changed since.
        NotWritableError: there is no right to.
        OSError: the disk refused; the file is as it was.
    """
    real = path.resolve(strict=True)
    command = command_to_allow(path)
    if command is not None:
        raise NotWritableError(command)
    descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            _dress(new, real)
            os.fsync(file.fileno())
        if version_of(real.read_bytes()) != before:
            raise StaleFileError
        _keep_copy(real, now_ms)
        new.replace(real)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        raise
    _sync_directory(real.parent)


def copies_of(path: Path) -> list[Path]:
    """The former versions beside the file, the latest last."""
    real = path.resolve()
    return sorted(real.parent.glob(f"{_escaped(real.name)}.????????T?????????Z.bak"))


def command_to_allow(path: Path) -> str | None:
    """What an administrator would have to run so that this process may write; None if it may."""
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except OSError:
        return None  # there is no file: reading it says so
    user = os.geteuid()
    groups = {os.getegid(), *os.getgroups()}
    is_ours = user == 0 or (status.st_uid == user and status.st_gid in groups)
    if is_ours and os.access(real.parent, os.W_OK | os.X_OK):
        return None
    unit = _unit()
    if is_ours and unit is None:
        return f"chmod u+wx {shlex.quote(str(real.parent))}"
    return _command(real, _owner(user), unit)


def _command(real: Path, owner: str, unit: str | None) -> str:
    paths = f"{shlex.quote(str(real.parent))} {shlex.quote(str(real))}"
    if unit is None:
        return f"chown {owner} {paths}"
    lines = (
        f"[Service]\\nReadWritePaths={real.parent}\\nExecStartPre=+/bin/chown {owner} {paths}\\n"
    )
    drop_in = f"/etc/systemd/system/{unit}.d/editable.conf"
    return (
        f"printf {shlex.quote(lines)} | install -D -m 644 /dev/stdin {drop_in}"
        f" && systemctl daemon-reload && systemctl restart {unit}"
    )


def _owner(user: int) -> str:
    """As chown takes it: with the group of his own, which only a user with a name has there."""
    try:
        return f"{pwd.getpwuid(user).pw_name}:"
    except KeyError:
        return f"{user}:{os.getegid()}"


def _unit() -> str | None:
    """The systemd unit this process belongs to, if it is a service."""
    if "INVOCATION_ID" not in os.environ:
        return None
    try:
        name = _UNIT_FILE.read_text().strip().rpartition("/")[2]
    except OSError:
        return None
    return name if name.endswith(".service") else None


def _dress(new: Path, old: Path) -> None:
    """Owner, mode and extended attributes of the old file for the new one."""
    status = old.stat()
    mine = new.stat()
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
        os.chown(new, status.st_uid, status.st_gid)
    shutil.copystat(old, new)
    os.utime(new)


def _keep_copy(real: Path, now_ms: int) -> None:
    moment = datetime.fromtimestamp(now_ms / 1000, UTC)
    stamp = f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03}"
    copy = real.with_name(f"{real.name}.{stamp}Z.bak")
    with contextlib.suppress(FileExistsError):
        try:
            copy.hardlink_to(real)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            shutil.copy2(real, copy)
    for old in copies_of(real)[:-KEPT_COPIES]:
        old.unlink(missing_ok=True)


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
