"""What changed between two readings of the file, in the words of an administrator.

Never a secret, a whole telephone number or a text that clients read: those are only said to have
changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from relay.config.channel import Channel
from relay.config.fields import Part
from relay.config.model import Config, User
from relay.config.secret import Secret
from relay.config.values import EVERYONE_ELSE, duration_text
from relay.domain.ids import ChannelId

RESTART_ONLY = ("server", "storage")
"""Sections that act only after a restart."""

_ACTS_LIVE = frozenset(
    {"title", "pipeline_id", "pacing"}
)  # keys of a channel its session knows nothing of
_NOT_SHOWN = frozenset({"phone", "signature"})


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


def needs_restart(old: Config, new: Config) -> tuple[str, ...]:
    """The sections that changed but act only after a restart of the relay."""
    return tuple(name for name in RESTART_ONLY if getattr(old, name) != getattr(new, name))


def describe(old: Config, new: Config) -> list[str]:
    """The changes in the order of the file, one line each; empty if there are none."""
    return [
        *_differences("", old, new, skip={"channels", "settings", "users"}),
        *_channels(old, new),
        *_settings(old, new),
        *_users(old, new),
    ]


def _changed_keys(old: Part, new: Part) -> frozenset[str]:
    if type(old) is not type(new):
        return frozenset(type(old).model_fields.keys() | type(new).model_fields.keys())
    fields = type(old).model_fields
    return frozenset(name for name in fields if getattr(old, name) != getattr(new, name))


def _differences(path: str, old: Part, new: Part, skip: Iterable[str] = ()) -> Iterator[str]:
    """Key by key, ``path.key: old → new``, down into sections."""
    for name, field in type(old).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        if name in skip or before == after:
            continue
        key = path + (field.alias or name)
        if isinstance(before, Part) and isinstance(after, Part):
            yield from _differences(f"{key}.", before, after)
            continue
        later = "; takes effect after a restart" if key.startswith(RESTART_ONLY) else ""
        yield f"{key}: {_from_to(name, before, after)}{later}"


def _from_to(name: str, before: object, after: object) -> str:
    values = (before, after)
    if name in _NOT_SHOWN or any(isinstance(value, Secret | Part) for value in values):
        return "added" if before is None else "removed" if after is None else "changed"
    return f"{_shown(name, before)} → {_shown(name, after)}"


def _shown(name: str, value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and name.endswith("_ms"):
        return duration_text(value)
    return str(value)


def _channels(old: Config, new: Config) -> Iterator[str]:
    for channel in dict.fromkeys([*old.channels, *new.channels]):
        before, after = old.channels.get(channel), new.channels.get(channel)
        if before is None or after is None:
            yield f"channel {channel}: {'removed' if after is None else 'added'}"
        else:
            yield from _channel(f"channel {channel}: ", before, after)


def _channel(label: str, before: Channel, after: Channel) -> Iterator[str]:
    if type(before) is type(after):
        yield from _differences(label, before, after)
    else:
        yield f"{label}engine: {before.engine} → {after.engine}"


def _settings(old: Config, new: Config) -> Iterator[str]:
    before, after = old.settings, new.settings
    yield from _differences("settings.", before, after, {"blacklist", "title_in_messages"})
    if told := _counts(before.blacklist, after.blacklist):
        yield f"blacklist: {told}"
    if told := _plus_minus(before.title_in_messages, after.title_in_messages):
        yield f"settings.title_in_messages: {told}"


def _counts(before: Iterable[str], after: Iterable[str]) -> str:
    """``+2 numbers, −1``; empty if they are the same numbers."""
    added, removed = len(set(after) - set(before)), len(set(before) - set(after))
    parts = [f"{sign}{count}" for sign, count in (("+", added), ("−", removed)) if count]
    if parts:
        parts[0] += " number" if parts[0][1:] == "1" else " numbers"
    return ", ".join(parts)


def _plus_minus(before: Iterable[str], after: Iterable[str]) -> str:
    added = [f"+{name}" for name in after if name not in before]
    return ", ".join([*added, *(f"−{name}" for name in before if name not in after)])


def _users(old: Config, new: Config) -> Iterator[str]:
    for key in dict.fromkeys([*old.users, *new.users]):
        before, after = old.users.get(key), new.users.get(key)
        if before is None and after is not None:
            yield f"{_name(key, after)} {_may_first(key)} send through {_row(after.channels)}"
        elif before is not None and after is None:
            yield f"{_name(key, before)} was removed{_fallback(key, new)}"
        elif before is not None and after is not None:
            yield from _user(_name(key, after), before, after)


def _may_first(key: int | str) -> str:
    return "may now" if key == EVERYONE_ELSE else "was added and may"


def _fallback(key: int | str, new: Config) -> str:
    if key == EVERYONE_ELSE or EVERYONE_ELSE not in new.users:
        return " and may no longer send"
    return " and counts as everyone else"


def _name(key: int | str, user: User) -> str:
    if key == EVERYONE_ELSE:
        return "everyone else"
    return user.name or f"user {key}"


def _row(names: Iterable[str]) -> str:
    return ", ".join(names) or "no channel"


def _user(name: str, before: User, after: User) -> Iterator[str]:
    if before.name != after.name:
        yield f"{name} was called {before.name or 'by the id only'} before"
    yield from _may(name, "send through", before.channels, after.channels)
    if before.channels != after.channels and set(before.channels) == set(after.channels):
        yield f"{name} now sends through {_row(after.channels)}, in this order"
    yield from _may(name, "see and change", before.sections, after.sections)
    if before.signature != after.signature:
        yield f"{name}: signature {_from_to('signature', before.signature, after.signature)}"


def _may(name: str, what: str, before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    if added := [word for word in after if word not in before]:
        yield f"{name} may now {what} {_row(added)}"
    if removed := [word for word in before if word not in after]:
        yield f"{name} may no longer {what} {_row(removed)}"
