"""What changed, in words: for the log, and for who must restart what."""

from __future__ import annotations

import pytest

from relay.config.changes import ChannelChanges, channel_changes, describe, needs_restart
from relay.config.model import Config
from relay.domain.ids import ChannelId
from tests.config.writing import AMOCRM, SALES, SUPPORT, config, loaded, written

BOTH = SALES + SUPPORT
USERS = "users:\n  7: {name: Анна, channels: [sales]}\n"


def _settings(line: str) -> Config:
    return config(BOTH, f"settings: {{{line}}}\n")


def _users(line: str) -> Config:
    return config(BOTH, f"settings: {{default_channel: sales}}\nusers: {{{line}}}\n")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("phone_check: true", "phone_check: false", ["settings.phone_check: on → off"]),
        (
            "default_channel: sales",
            "default_channel: support",
            ["settings.default_channel: sales → support"],
        ),
        ("", "default_channel: sales", ["settings.default_channel: none → sales"]),
        ('error_label: "[a]"', 'error_label: "[b]"', ["settings.error_label: [a] → [b]"]),
        ("", 'blacklist: ["+7900*"]', ["blacklist: +1 number"]),
        (
            'blacklist: ["+79001234567"]',
            'blacklist: ["+79001234568", "+79001234569"]',
            ["blacklist: +2 numbers, −1"],
        ),
        ('blacklist: ["+79001234567"]', 'blacklist: ["+7 900 123-45-67"]', []),
        (
            "title_in_messages: [sales]",
            "title_in_messages: [support]",
            ["settings.title_in_messages: +support, −sales"],
        ),
    ],
)
def test_settings(old: str, new: str, words: list[str]) -> None:
    """A changed setting is one line with both values; numbers are counted, not shown."""
    told = describe(_settings(old), _settings(new))
    assert [line for line in told if "blacklist" not in line or "[" not in line] == words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "7: {channels: [sales]}", ["user 7 was added and may send through sales"]),
        ("7: {name: Анна, channels: [sales]}", "", ["Анна was removed and may no longer send"]),
        (
            "7: {name: Анна, channels: [sales]}, everyone_else: {channels: [sales]}",
            "everyone_else: {channels: [sales]}",
            ["Анна was removed and counts as everyone else"],
        ),
        (
            "7: {name: Анна, channels: [sales]}",
            "7: {name: Анна, channels: [sales, support]}",
            ["Анна may now send through support"],
        ),
        (
            "7: {name: Анна, channels: [sales]}",
            "7: {name: Анна, channels: [default]}",
            ["Анна may now send through default", "Анна may no longer send through sales"],
        ),
        (
            "7: {channels: [sales, support]}",
            "7: {channels: [support, sales]}",
            ["user 7 now sends through support, sales, in this order"],
        ),
        (
            "7: {channels: [sales]}",
            "7: {channels: [sales], sections: [blacklist, users], signature: Ваша А.}",
            ["user 7 may now see and change blacklist, users", "user 7: signature added"],
        ),
        (
            "7: {name: Анна, channels: [], signature: a}",
            "7: {name: Аня, channels: [], signature: b}",
            ["Аня was called Анна before", "Аня: signature changed"],
        ),
        ("", "everyone_else: {channels: []}", ["everyone else may now send through no channel"]),
    ],
)
def test_users(old: str, new: str, words: list[str]) -> None:
    """Who may do what is said by name, in a sentence."""
    assert describe(_users(old), _users(new)) == words


def test_channels() -> None:
    """Channels come, go and change one by one; phone numbers are not shown."""
    old = config(SALES + "  old: {title: Old, engine: linked_device}\n" + SUPPORT)
    new = config(
        '  sales: {title: Продажи, engine: linked_device, phone: "+74950000001"}\n'
        "  new: {title: New, engine: linked_device, import_history: 14d}\n"
        + SUPPORT.replace('"a-support-token"', '"rotated"')
    )
    assert describe(old, new) == [
        "channel sales: title: Sales → Продажи",
        "channel sales: phone: added",
        "channel old: removed",
        "channel support: token: changed",
        "channel new: added",
    ]


def test_pacing_acts_live() -> None:
    """A changed pace is told limit by limit and leaves the session alone."""
    old = config(SALES)
    new = config(SALES.replace("}", ", pacing: {per_minute: 1, per_day: 30, typing: 3s}}"))
    assert describe(old, new) == [
        "channel sales: pacing.per_minute: 2 → 1",
        "channel sales: pacing.per_day: 50 → 30",
        "channel sales: pacing.typing: none → 3s",
    ]
    assert channel_changes(old, new).restarted == frozenset()


def test_a_changed_engine_is_one_line() -> None:
    """A channel that moves to the other engine is described by that alone."""
    moved = SUPPORT.replace("support:", "sales:")
    assert describe(config(SALES), config(moved)) == [
        "channel sales: engine: linked_device → cloud_api"
    ]


def test_the_rest_of_the_file() -> None:
    """Other keys are named by their path; what needs a restart says so; secrets have no value."""
    old = written(BOTH)
    new = (
        "language: en\nlog: {level: debug}\ndelivery: {give_up_after: {whatsapp: 2h}}\n"
        + written(BOTH, amocrm=AMOCRM + "    url: https://chats.example.com\n")
        .replace("a-long-lived-token", "rotated-token")
        .replace("directory: data", "directory: /srv/relay")
        .replace("server:\n", "server:\n  listen: 127.0.0.1:8081\n")
    )
    before, after = loaded(old).config, loaded(new).config
    assert describe(before, after) == [
        "language: ru → en",
        "amocrm.token: changed",
        "amocrm.chats.url: none → https://chats.example.com",
        "server.listen: 127.0.0.1:8080 → 127.0.0.1:8081; takes effect after a restart",
        "storage.directory: /etc/relay/data → /srv/relay; takes effect after a restart",
        "log.level: info → debug",
        "delivery.give_up_after.whatsapp: 1h → 2h",
    ]
    assert needs_restart(before, after) == ("server", "storage")


def test_nothing_changed() -> None:
    """Equal configurations have no differences and restart nothing."""
    one, other = config(BOTH, USERS), config(BOTH, USERS)
    none: frozenset[ChannelId] = frozenset()
    assert describe(one, other) == []
    assert needs_restart(one, other) == ()
    assert channel_changes(one, other) == ChannelChanges(none, none, none, none)


def test_no_secret_is_ever_described() -> None:
    """Tokens, secrets, proxies and OAuth are only said to have come, gone or changed."""
    oauth = (
        "  oauth: {client_id: 22222222-3333-4444-8555-666666666666, client_secret: hunter2,\n"
        "    redirect_uri: https://relay.example.com/amocrm/oauth}\n"
    )
    proxied = SALES.replace("}", ", proxy: socks5://u:hunter2@h:1}")
    old = config(BOTH)
    new = config(
        proxied + SUPPORT.replace("a-support", "hunter2"),
        amocrm=AMOCRM.replace('  token: "a-long-lived-token"\n', oauth).replace(
            "a-chats", "hunter2"
        ),
    )
    told = describe(old, new) + describe(new, old)
    assert "hunter2" not in "\n".join(told)
    assert 'secret"' not in "\n".join(told)
    assert told[:3] == [
        "amocrm.token: removed",
        "amocrm.oauth: added",
        "amocrm.chats.secret: changed",
    ]


def test_only_channels_whose_own_lines_changed() -> None:
    """Sessions are restarted for keys they live by, not for a new title, nor for other channels."""
    old = config(SALES + "  old: {title: Old, engine: linked_device}\n" + SUPPORT)
    new = config(
        "  sales: {title: New name, engine: linked_device}\n"
        "  new: {title: New, engine: linked_device}\n" + SUPPORT.replace("a-support", "another"),
        "settings: {phone_check: false}\n",
    )
    assert channel_changes(old, new) == ChannelChanges(
        added=frozenset({ChannelId("new")}),
        removed=frozenset({ChannelId("old")}),
        changed=frozenset({ChannelId("sales"), ChannelId("support")}),
        restarted=frozenset({ChannelId("support")}),
    )
