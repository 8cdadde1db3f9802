"""The port to the file's sections that pages inside amoCRM may show and change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from relay.domain.ids import UserId
from relay.widget.problems import JSON

BLACKLIST: Final = "blacklist"
USERS: Final = "users"


@dataclass(frozen=True, slots=True)
class Book:
    """What the file says now. ``version`` tells this content from every other.

    ``settings`` are all of them but the blacklist, as they act; ``users`` by their keys.
    ``sections`` are the names a user may be given. ``command``: what an administrator has to run
    before anything can be saved, if he has to; ``mistakes``: what is wrong with the file as it
    stands, and then the rest is what acts meanwhile.
    """

    version: str
    settings: Mapping[str, JSON]
    blacklist: Sequence[str]
    users: Mapping[str, Mapping[str, JSON]]
    sections: Sequence[str]
    command: str | None = None
    mistakes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to change, and the ``version`` that whoever wishes it has seen.

    A setting that is None goes back to its default, a user that is None is taken out, any other is
    given whole. ``listed`` come into the blacklist and ``unlisted`` leave it.
    """

    version: str
    settings: Mapping[str, object] = field(default_factory=dict)
    users: Mapping[str, Mapping[str, object] | None] = field(default_factory=dict)
    listed: Sequence[str] = ()
    unlisted: Sequence[str] = ()


class StaleBookError(Exception):
    """The file is not the one he has seen; nothing was written."""


class InvalidWishError(Exception):
    """The file would have mistakes; nothing was written. ``mistakes``: path and words of each."""

    def __init__(self, mistakes: Sequence[tuple[str, str]]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = tuple(mistakes)


class LockedBookError(Exception):
    """The file may not be written; the text is the command that would allow it."""


class SettingsBook(Protocol):
    """The file."""

    async def read(self) -> Book:
        """What it says now.

        Raises:
            OSError: it cannot be read.
        """
        ...

    async def change(self, wish: Wish, user: UserId) -> Book:
        """Change it, in the name of that user; what it says then.

        Raises:
            StaleBookError, InvalidWishError, LockedBookError: see there.
            OSError: the disk refused; the file is as it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may see and change: an administrator everything, others their sections."""

    administrator: bool
    sections: frozenset[str]

    def may(self, section: str) -> bool:
        """Whether the section is open to him."""
        return self.administrator or section in self.sections


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the account."""

    id: UserId
    name: str
    administrator: bool


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as it stands now. ``own`` is its number with the plus, once it is known.

    ``linkable``: a number can be linked to it now.
    """

    id: str
    title: str
    state: str
    reason: str
    since: str | None
    own: str | None
    linkable: bool
