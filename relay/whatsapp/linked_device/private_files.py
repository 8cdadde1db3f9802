"""Files for their owner alone, whoever makes them.

Run by root (a pairing from an administrator's shell), they are left to the owner of the directory
around them: the service could not read them otherwise. No link is followed on the way, for that
owner is not root.
"""

from __future__ import annotations

import os
from pathlib import Path


def make_directory(path: Path) -> None:
    """Make a directory, if it is not there, for its owner alone."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    path.mkdir(mode=0o700, exist_ok=True)
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _leave_to_owner(directory, path.parent)
    finally:
        os.close(directory)


def open_private(path: Path) -> int:
    """An open descriptor of a file for its owner alone; never of what a link points to."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchmod(file, 0o600)
    _leave_to_owner(file, path.parent)
    return file


def _leave_to_owner(file: int, directory: Path) -> None:
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def sync(directory: Path) -> None:
    """Make a renaming or a deletion outlive a power cut."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
