"""From a wish to the file's new text: checked like any other, and proved to say what is wished.

It reads the file several times, so for a large one it takes seconds: not for the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from relay.config.edit import Put, edited
from relay.config.emit import Value
from relay.config.errors import ConfigErrors
from relay.config.load import parse
from relay.config.model import Config, MessageSettings, User
from relay.config.parts import entries, made, read_part
from relay.config.secret import SecretSource
from relay.config.shapes import Fault
from relay.config.splices import EditRefusedError
from relay.config.syntax import UnreadableError, decode
from relay.config.values import WrongValueError, user_key

_BOM = b"\xef\xbb\xbf"
_DIFFERENT = (
    "the file says it in a way that cannot be changed from here without changing something else"
    " (an anchor, a merge key, a form of its own): edit the file by hand"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Changes of the sections ``settings`` and ``users``; what is not named stays.

    A setting that is None goes back to its default, a user that is None is taken out; any other
    user is given whole. Values are plain, as JSON has them.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    users: Mapping[str, Mapping[str, object] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a wish, and where in it: ``settings.blacklist.2``."""

    path: str
    message: str


class WishRefusedError(Exception):
    """The wish cannot be fulfilled; nothing has changed."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(f"{each.path}: {each.message}" for each in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The file's new content, and what it said before and says now."""

    content: bytes
    before: Config
    after: Config


def rewritten(
    content: bytes, path: Path, secrets: SecretSource, wish: Wish, known: Config | None = None
) -> Rewritten:
    """The content of the file at ``path`` with the wish fulfilled.

    ``known``: what the content says, where that has been read already.

    Raises:
        WishRefusedError: it asks for what may not be, or for what cannot be changed from here.
        ConfigErrors: the file has mistakes already.
    """
    try:
        text = decode(content)
    except UnreadableError as error:
        raise WishRefusedError([Mistake("", str(error))]) from None
    before = parse(text, path, secrets).config if known is None else known
    wanted = _wanted(before, wish)
    try:
        new = edited(text, list(_puts(before, wanted, wish)))
    except EditRefusedError as error:
        raise WishRefusedError([Mistake("", f"{error}: edit the file by hand")]) from None
    try:
        after = parse(new, path, secrets).config
    except ConfigErrors as trouble:
        raise WishRefusedError([Mistake(_dotted(e.path), e.message) for e in trouble.errors]) from (
            None
        )
    if after != wanted:
        raise WishRefusedError([Mistake("", _DIFFERENT)])
    bom = _BOM if content.startswith(_BOM) else b""
    return Rewritten(bom + new.encode(), before, after)


def _wanted(before: Config, wish: Wish) -> Config:
    """What the file is to mean."""
    mistakes: list[Mistake] = []
    settings, users = before.settings, dict(before.users)
    new = {name: value for name, value in wish.settings.items() if value is not None}
    changed, faults = read_part(MessageSettings, new)
    mistakes += _mistakes("settings", faults)
    if changed is not None:
        settings = _changed(settings, changed, wish.settings)
    for name, user in wish.users.items():
        try:
            key = user_key(name)
        except WrongValueError as error:
            mistakes.append(Mistake(f"users.{name}", str(error)))
            continue
        if user is None:
            users.pop(key, None)
            continue
        given = {each: value for each, value in user.items() if value is not None}
        found, faults = read_part(User, given)
        mistakes += _mistakes(f"users.{name}", faults)
        if found is not None:
            users[key] = found
    if mistakes:
        raise WishRefusedError(mistakes)
    return replace(before, settings=settings, users=MappingProxyType(users))


def _changed(
    before: MessageSettings, new: MessageSettings, named: Iterable[str]
) -> MessageSettings:
    """What is named is new, or at its default; the rest is as it was, without reading it again."""
    said = {name: getattr(before, name) for name in before.said - set(named)}
    said |= {name: getattr(new, name) for name in new.said}
    return made(MessageSettings, said)


def _mistakes(where: str, faults: Iterable[Fault]) -> Iterator[Mistake]:
    for fault in faults:
        path = ".".join([where, *map(str, fault.path)])
        yield Mistake(path, fault.message or f"expected {fault.what.value}")


def _puts(before: Config, wanted: Config, wish: Wish) -> Iterator[Put]:
    """What has to be written for it; nothing for what stands there already."""
    said = before.settings.said
    for name, value in wish.settings.items():
        if value is None and name in said:
            yield Put(("settings", name), None)
        elif value is not None and _differs(before.settings, wanted.settings, name):
            yield Put(("settings", name), _plain(getattr(wanted.settings, name)))
    for name in wish.users:
        old, new = before.users.get(user_key(name)), wanted.users.get(user_key(name))
        if old == new:
            continue
        if new is None:
            yield Put(("users", name), None)
            continue
        keys = entries(User)
        changed = frozenset(k for k in keys if old is None or _differs(old, new, k))
        yield Put(("users", name), _user(new), only=changed)


def _differs(old: MessageSettings | User, new: MessageSettings | User, name: str) -> bool:
    return bool(getattr(old, name) != getattr(new, name))


def _plain(value: object) -> Value:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, tuple):
        return [str(item) for item in value]
    raise TypeError(f"no form for {type(value).__name__}")


def _user(user: User) -> dict[str, Value]:
    """A user as the file has him: what is left out is not written."""
    found = {name: getattr(user, name) for name in entries(User)}
    return {name: _plain(value) for name, value in found.items() if value or name == "channels"}


def _dotted(path: str) -> str:
    return path.replace("[", ".").replace("]", "").replace('"', "")
