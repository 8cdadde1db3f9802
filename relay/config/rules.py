"""The rules between keys: read off the tree, so that they speak even where other keys are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from relay.config import addresses, values
from relay.config.errors import nearest
from relay.config.tree import (
    Kind,
    ListTree,
    MappingTree,
    Path,
    Problem,
    Scalar,
    Tree,
    find,
)

T = TypeVar("T")


def broken_rules(tree: MappingTree) -> Iterator[Problem]:
    """Every rule between keys that the file breaks."""
    yield from _token_or_oauth(tree)
    yield from _chats_url(tree)
    yield from _two_doors(tree)
    yield from _one_number_each(tree)
    yield from _named_channels(tree)
    yield from _import_needs_bot(tree)


def _value(tree: Tree, path: Path, read: Callable[[object], T]) -> T | None:
    """A value, or None if it is not there or wrong (which is said elsewhere)."""
    node = find(tree, path)
    try:
        return None if node is None else read(node)
    except values.WrongValueError:
        return None


def _written(tree: Tree, path: Path) -> bool:
    node = find(tree, path)
    return node is not None and not (isinstance(node, Scalar) and node.kind is Kind.NOTHING)


def _token_or_oauth(tree: MappingTree) -> Iterator[Problem]:
    if not isinstance(find(tree, ("amocrm",)), MappingTree):
        return
    ways = [key for key in ("token", "oauth") if find(tree, ("amocrm", key)) is not None]
    if len(ways) == 2:
        yield Problem(("amocrm", "oauth"), "found token and oauth, expected only one", at_key=True)
    if not ways:
        yield Problem(("amocrm",), "found neither token nor oauth, expected one", at_key=True)


def _chats_url(tree: MappingTree) -> Iterator[Problem]:
    account = _value(tree, ("amocrm", "account"), addresses.origin)
    chats = find(tree, ("amocrm", "chats"))
    if account is None or addresses.amojo_of(account) is not None:
        return
    if isinstance(chats, MappingTree) and "url" not in chats:
        message = f"missing: the chats API's address does not follow from the account {account}"
        yield Problem(("amocrm", "chats", "url"), message, at_key=True)


def _two_doors(tree: MappingTree) -> Iterator[Problem]:
    public = _value(tree, ("server", "listen"), addresses.listen)
    admin = _value(tree, ("server", "admin_listen"), addresses.listen)
    if public and public == admin and public.port:
        message = f"{admin} is server.listen already, expected another address"
        yield Problem(("server", "admin_listen"), message)


def _channels(tree: MappingTree) -> MappingTree | None:
    channels = find(tree, ("channels",))
    return channels if isinstance(channels, MappingTree) else None


def _one_number_each(tree: MappingTree) -> Iterator[Problem]:
    owners: dict[tuple[str, str], str] = {}
    for channel in _channels(tree) or ():
        for key, read in (("phone", values.phone), ("phone_number_id", values.digits)):
            path = ("channels", channel, key)
            number = _value(tree, path, read)
            if number is None:
                continue
            owner = owners.setdefault((key, number), channel)
            if owner != channel:
                yield Problem(path, f"the number of channel {owner}, expected one of its own")


def _named_channels(tree: MappingTree) -> Iterator[Problem]:
    channels = _channels(tree)
    if channels is None:
        return
    known, misses = list(channels), dict[str, str]()
    for path, node in _names(tree):
        name = _value(node, (), values.channel_name)
        if name is None or name in channels:
            continue
        if name == values.DEFAULT and path[0] == "users":
            if len(channels) != 1 and not _written(tree, ("settings", "default_channel")):
                message = "there is no default channel: settings.default_channel is missing"
                yield Problem(path, message)
            continue
        if name not in misses:
            near = nearest(name, known)
            hint = f"nearest: {near}" if near else f"there are {', '.join(known[:10])}"
            misses[name] = f'there is no channel "{name}" ({hint})'
        yield Problem(path, misses[name])


def _names(tree: MappingTree) -> Iterator[tuple[Path, Tree]]:
    """Every place of the file that names a channel."""
    default: Path = ("settings", "default_channel")
    node = find(tree, default)
    if node is not None and _written(tree, default):
        yield default, node
    users = find(tree, ("users",))
    keys = users if isinstance(users, MappingTree) else ()
    lists: list[Path] = [("settings", "title_in_messages")]
    lists += [("users", key, "channels") for key in keys]
    for path in lists:
        items = find(tree, path)
        if isinstance(items, ListTree):
            yield from (((*path, index), item) for index, item in enumerate(items))


def _import_needs_bot(tree: MappingTree) -> Iterator[Problem]:
    path: Path = ("settings", "import_sent_from_phone")
    if _value(tree, path, values.switch) and not _written(tree, ("amocrm", "chats", "bot_id")):
        yield Problem(
            path,
            "needs amocrm.chats.bot_id: amoCRM shows what was typed on the phone in the bot's name",
        )
