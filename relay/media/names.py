"""Names of kept files: the public one nobody can guess, and the one on disk, which tells all.

A file on disk is called ``TOKEN~NAME``. The token is a keyed hash of the file's content and name,
so the same file sent twice is kept once, and nobody without the key can tell a token, not even of
a file that he has. The public name is the token and the ending of the file's name. So nothing has
to be written down beside the file: one rename shows it, and its permissions tell its state, which
may thus change while somebody reads it, or is about to.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # of base32
TOKEN_LENGTH = 32  # characters of base32: 160 bits
_LONGEST_ON_DISK = 255  # bytes, of every file system we may meet
_KNOWN = 64  # names: most pictures have one of few
_PUBLIC = re.compile(r"([a-z2-7]{32})(\.[a-z0-9]{1,10})?")
_ON_DISK = re.compile(r"([a-z2-7]{32})~(.+)", re.DOTALL)
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")


class State(enum.IntEnum):
    """Who may still need the file: its permissions. Its folder is closed to others anyway."""

    NEW = 0o600  # amoCRM has not fetched it yet
    FETCHED = 0o400  # amoCRM has, at least once
    OWN = 0o440  # it went to WhatsApp, and nobody else knows of it


@dataclass(frozen=True, slots=True)
class FileName:
    """A kept file, as its name on disk tells of it."""

    token: str
    name: str

    @property
    def public(self) -> str:
        """The name in its link."""
        return self.token + ending_of(self.name)

    @property
    def on_disk(self) -> str:
        """The name in its folder."""
        return f"{self.token}~{self.name}"


def path_of(files: Path, name: FileName) -> str:
    """Where a kept file is, among all. A string: a Path costs more than what is done with it."""
    return f"{files}/{name.token[0]}/{name.on_disk}"


def state_of(mode: int) -> State:
    """What permissions tell; others than ours, as a restored copy may have, tell of no fetch."""
    permissions = stat.S_IMODE(mode)
    return State(permissions) if permissions in set(State) else State.NEW


def token_of(key: bytes, digest: bytes, name: str) -> str:
    """The token of a file with that SHA-256 and that name."""
    keyed = hmac.new(key, digest + name.encode("utf-8", "replace"), hashlib.sha256).digest()
    return base64.b32encode(keyed[:20]).decode().lower()


def parse_on_disk(name: str) -> FileName | None:
    """What a name on disk tells; None if it is none of ours."""
    found = _ON_DISK.fullmatch(name)
    return FileName(found[1], found[2]) if found else None


def parse_public(name: str) -> str | None:
    """The token in a public name; None if it cannot be one."""
    found = _PUBLIC.fullmatch(name)
    return found[1] if found else None


@lru_cache(maxsize=_KNOWN)
def ending_of(name: str) -> str:
    """The ending of a file's name, lower case, with its dot; empty if there is none that is fit."""
    found = _ENDING.search(name)
    return found[0].lower() if found else ""


@lru_cache(maxsize=_KNOWN)
def fit_for_disk(name: str) -> str:
    """The name shortened, its ending kept, so that the name on disk is not too long."""
    room = _LONGEST_ON_DISK - TOKEN_LENGTH - len("~")
    ending = ending_of(name)
    stem = name[: len(name) - len(ending)].encode("utf-8", "replace")
    return stem[: room - len(ending)].decode("utf-8", "ignore") + name[len(name) - len(ending) :]
