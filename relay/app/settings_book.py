"""The file as pages inside amoCRM see and change it. Implements the widget's ``SettingsBook``.

Reading a large file takes a second and changing it three, so both are done on other threads; what
was read is kept as long as the file is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from relay.app.interpreter import without_collector
from relay.config.changes import describe
from relay.config.editor import Rewritten, WishRefusedError, rewritten
from relay.config.editor import Wish as FileWish
from relay.config.errors import ConfigErrors
from relay.config.load import parse
from relay.config.model import SECTIONS, Config, MessageSettings, User
from relay.config.parts import entries
from relay.config.secret import SecretSource
from relay.config.syntax import UnreadableError, decode
from relay.config.values import WrongValueError, listed_number
from relay.config.writing import (
    NotWritableError,
    StaleFileError,
    command_to_allow,
    version_of,
    write_file,
)
from relay.delivery.ports import Clock
from relay.domain.ids import UserId
from relay.widget.book import (
    BLACKLIST,
    Book,
    InvalidWishError,
    LockedBookError,
    StaleBookError,
    Wish,
)
from relay.widget.problems import JSON

P = ParamSpec("P")
T = TypeVar("T")

_log = structlog.stdlib.get_logger("relay.config")


class FileBook:
    """The file. ``live``: what acts; ``on_change``: has it read again; ``name_of``: names users."""

    def __init__(
        self,
        path: Path,
        secrets: SecretSource,
        clock: Clock,
        *,
        live: Callable[[], Config],
        on_change: Callable[[], None],
        name_of: Callable[[UserId], str],
    ) -> None:
        self._path = path
        self._secrets = secrets
        self._clock = clock
        self._live = live
        self._on_change = on_change
        self._name_of = name_of
        self._turn = asyncio.Lock()  # one thread at a time is busy with the file
        self._known: tuple[str, Config] | None = None

    async def read(self) -> Book:
        """What the file says now.

        Raises:
            OSError: it cannot be read.
        """
        async with self._turn:
            return await asyncio.to_thread(_calmly, self._read)

    async def change(self, wish: Wish, user: UserId) -> Book:
        """Change the file in the name of that user.

        Raises:
            StaleBookError: it is not the version that the wish is for.
            InvalidWishError: it would have mistakes.
            LockedBookError: it may not be written.
            OSError: the disk refused.
        """
        async with self._turn:
            done = await asyncio.to_thread(_calmly, self._change, wish)
            if done is not None:
                changes = await asyncio.to_thread(describe, done.before, done.after)
                _log.info("settings_changed", user=user, name=self._name_of(user), changes=changes)
                self._on_change()
            return await asyncio.to_thread(_calmly, self._read)

    def _read(self) -> Book:
        content = self._path.read_bytes()
        version = version_of(content)
        mistakes: list[str] = []
        if self._known is None or self._known[0] != version:
            try:
                self._known = (version, parse(decode(content), self._path, self._secrets).config)
            except UnreadableError as error:
                mistakes = [str(error)]
            except ConfigErrors as trouble:
                mistakes = [str(error) for error in trouble.errors]
        config = self._live() if mistakes or self._known is None else self._known[1]
        return _book(version, config, command_to_allow(self._path), mistakes)

    def _change(self, wish: Wish) -> Rewritten | None:
        """What was written; None if the file says all of it already."""
        content = self._path.read_bytes()
        version = version_of(content)
        if version != wish.version:
            raise StaleBookError
        if (command := command_to_allow(self._path)) is not None:
            raise LockedBookError(command)
        known = self._known if self._known is not None and self._known[0] == version else None
        before = known[1] if known else parse(decode(content), self._path, self._secrets).config
        try:
            done = rewritten(content, self._path, self._secrets, _file_wish(wish, before), before)
        except WishRefusedError as refused:
            raise InvalidWishError([(m.path, m.message) for m in refused.mistakes]) from None
        if done.content == content:
            return None
        try:
            write_file(self._path, done.content, version, self._clock.now_ms())
        except StaleFileError:
            raise StaleBookError from None
        except NotWritableError as error:
            raise LockedBookError(str(error)) from None
        self._known = (version_of(done.content), done.after)
        return done


def _calmly(work: Callable[P, T], *args: P.args, **keys: P.kwargs) -> T:
    """Work that makes much: the collector would hold the loop while it looks at all of it."""
    with without_collector():
        return work(*args, **keys)


def _file_wish(wish: Wish, before: Config) -> FileWish:
    """The wish with the blacklist whole."""
    settings = dict(wish.settings)
    if wish.listed or wish.unlisted:
        settings[BLACKLIST] = _blacklist(wish, before.settings.blacklist)
    return FileWish(settings, wish.users)


def _blacklist(wish: Wish, before: tuple[str, ...]) -> list[str]:
    mistakes, listed = list[tuple[str, str]](), list[str]()
    for at, written in enumerate(wish.listed):
        try:
            listed.append(listed_number(written))
        except WrongValueError as error:
            mistakes.append((f"settings.{BLACKLIST}.{at}", str(error)))
    if mistakes:
        raise InvalidWishError(mistakes)
    gone = set(_normalised(wish.unlisted))
    entries = [entry for entry in before if entry not in gone]
    known = set(entries)
    for entry in listed:  # one by one: the loop waits while a large set is made at once
        if entry not in known:
            known.add(entry)
            entries.append(entry)
    return entries


def _normalised(written: object) -> Iterator[str]:
    for entry in written if isinstance(written, list | tuple) else ():
        try:
            yield listed_number(entry)
        except WrongValueError:
            yield str(entry)


def _book(version: str, config: Config, command: str | None, mistakes: list[str]) -> Book:
    names = (name for name in entries(MessageSettings) if name != BLACKLIST)
    return Book(
        version=version,
        settings={name: _plain(getattr(config.settings, name)) for name in names},
        blacklist=config.settings.blacklist,
        users={str(key): _user(user) for key, user in config.users.items()},
        sections=SECTIONS,
        command=command,
        mistakes=mistakes,
    )


def _user(user: User) -> Mapping[str, JSON]:
    found = {name: getattr(user, name) for name in entries(User)}
    return {k: _plain(value) for k, value in found.items() if value or k == "channels"}


def _plain(value: object) -> JSON:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if isinstance(value, bool) or value is None else str(value)
