"""What changed between two readings of the file: which channels, and in words for the log.

It compares the lists of a large file, so it takes tens of milliseconds: not for the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from relay.config.change_words import (
    AFTER_A_RESTART,
    became,
    counted,
    differences,
    plus_minus,
    said,
)
from relay.config.channel import Channel
from relay.config.model import Config, User
from relay.config.parts import Part, entries
from relay.config.values import DEFAULT, EVERYONE_ELSE
from relay.domain.ids import ChannelId

MOST_TOLD: Final = 100
"""A change of more lines than this (a thousand users bound anew) is cut short, with the rest
counted: nobody reads more, and it is one line of the log."""

_ACTS_LIVE: Final = frozenset({"title", "pipeline_id", "pacing"})
"""Keys of a channel that its session knows nothing of."""


@dataclass(frozen=True, slots=True)
class ChannelChanges:
    """Which channels' own lines changed. ``restarted`` are those whose session must be new."""

    added: frozenset[ChannelId]
    removed: frozenset[ChannelId]
    changed: frozenset[ChannelId]
    restarted: frozenset[ChannelId]


def channel_changes(old: Config, new: Config) -> ChannelChanges:
    """Compare the channels of two readings."""
    both = old.channels.keys() & new.channels.keys()
    keys = {
        channel: _changed_keys(old.channels[channel], new.channels[channel]) for channel in both
    }
    return ChannelChanges(
        added=frozenset(new.channels.keys() - old.channels.keys()),
        removed=frozenset(old.channels.keys() - new.channels.keys()),
        changed=frozenset(channel for channel in both if keys[channel]),
        restarted=frozenset(channel for channel in both if keys[channel] - _ACTS_LIVE),
    )


def _changed_keys(old: Part, new: Part) -> frozenset[str]:
    if type(old) is not type(new):
        return frozenset(entries(type(old)).keys() | entries(type(new)).keys())
    return frozenset(
        name for name in entries(type(old)) if getattr(old, name) != getattr(new, name)
    )


def needs_restart(old: Config, new: Config) -> tuple[str, ...]:
    """The sections that changed but act only after a restart of the relay."""
    return tuple(name for name in AFTER_A_RESTART if getattr(old, name) != getattr(new, name))


def describe(old: Config, new: Config) -> list[str]:
    """The changes, one line each; empty if there are none that act."""
    told = [
        *differences("", old, new),
        *_channels(old, new),
        *_settings(old, new),
        *_users(old, new),
    ]
    if len(told) > MOST_TOLD:
        told[MOST_TOLD - 1 :] = [f"and {len(told) - MOST_TOLD + 1} more changes"]
    return told


# --- Channels ------------------------------------------------------------------------------------


def _channels(old: Config, new: Config) -> Iterator[str]:
    for id_ in dict.fromkeys([*old.channels, *new.channels]):
        before, after = old.channels.get(id_), new.channels.get(id_)
        if before is None or after is None:
            yield f"channel {id_} {'removed' if after is None else 'added'}"
        else:
            yield from _channel(id_, before, after)


def _channel(id_: ChannelId, before: Channel, after: Channel) -> Iterator[str]:
    label = f"channel {id_}: "
    if before.title != after.title:
        yield f"channel {id_} renamed from {before.title} to {after.title}"
    if type(before) is type(after):
        yield from differences("channels.*.", before, after, label)
    else:
        yield said("channels.*.engine", before.engine, after.engine, label)


# --- Settings ------------------------------------------------------------------------------------


def _settings(old: Config, new: Config) -> Iterator[str]:
    before, after = old.settings, new.settings
    yield from differences("settings.", before, after)
    if old.default_channel != new.default_channel:
        yield said("settings.default_channel", old.default_channel, new.default_channel)
    elif before.default_channel != after.default_channel:
        yield f"default channel is {new.default_channel} as before, and now follows " + (
            "from there being no other" if after.default_channel is None else "from the file"
        )
    if told := plus_minus(before.title_in_messages, after.title_in_messages):
        yield f"title in messages: {told}"
    if told := counted(before.blacklist, after.blacklist):
        yield f"blacklist: {told}"


# --- Users ---------------------------------------------------------------------------------------


def _users(old: Config, new: Config) -> Iterator[str]:
    if old.users == new.users:
        return
    names = Counter(user.name for user in new.users.values())
    for key in dict.fromkeys([*old.users, *new.users]):
        before, after = old.users.get(key), new.users.get(key)
        if before == after:
            continue
        user = after or before
        name = "" if user is None else _name(key, user, alone=names[user.name] < 2)
        if before is None and after is not None:
            yield f"{name} {_may_first(key)} send through {_row(after.channels)}"
        elif after is None:
            yield f"{name} {_gone(key, new)}"
        elif before is not None:
            yield from _user(name, before, after)


def _name(key: int | str, user: User, *, alone: bool) -> str:
    """As the file calls him; with his id, if it calls others so too."""
    if key == EVERYONE_ELSE:
        return "everyone else"
    if user.name is None:
        return f"user {key}"
    return user.name if alone else f"{user.name} ({key})"


def _may_first(key: int | str) -> str:
    return "may now" if key == EVERYONE_ELSE else "was added and may"


def _gone(key: int | str, new: Config) -> str:
    if key == EVERYONE_ELSE:
        return "may no longer send"
    if EVERYONE_ELSE in new.users:
        return "was removed and counts as everyone else"
    return "was removed and may no longer send"


def _user(name: str, before: User, after: User) -> Iterator[str]:
    if before.name != after.name:
        yield f"{name} was called {before.name or 'by the id only'} before"
    yield from _may(name, "send through", before.channels, after.channels)
    if before.channels != after.channels and set(before.channels) == set(after.channels):
        yield f"{name} now sends through {_row(after.channels)}, in this order"
    yield from _may(name, "see and change", before.sections, after.sections)
    if before.signature != after.signature:
        happened = became("users.*.signature", before.signature, after.signature)
        yield f"signature of {name} {happened}"


def _may(name: str, what: str, before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    if added := [word for word in new if word not in old]:
        yield f"{name} may now {what} {_row(added)}"
    if removed := [word for word in old if word not in new]:
        yield f"{name} may no longer {what} {_row(removed)}"


def _row(channels: Iterable[str]) -> str:
    words = ("the default channel" if name == DEFAULT else name for name in channels)
    return ", ".join(words) or "no channel"
