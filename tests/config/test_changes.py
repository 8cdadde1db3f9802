"""What changed, in words: for the log, and for who must restart what."""

from __future__ import annotations

import pytest

from relay.config.change_words import NOUNS
from relay.config.changes import (
    MOST_TOLD,
    ChannelChanges,
    channel_changes,
    describe,
    needs_restart,
)
from relay.config.keys import PARTS, keys_of
from relay.config.model import Config
from relay.domain.ids import ChannelId
from tests.config.writing import AMOCRM, SALES, SUPPORT, config, loaded, written

BOTH = SALES + SUPPORT
LATER = "; takes effect after a restart"
USERS = "users:\n  7: {name: Анна, channels: [sales]}\n"


def _settings(line: str) -> Config:
    return config(BOTH, f"settings: {{{line}}}\n")


def _users(line: str) -> Config:
    return config(BOTH, f"settings: {{default_channel: sales}}\nusers: {{{line}}}\n")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("phone_check: true", "phone_check: false", ["check of phone numbers turned off"]),
        ("error_replies: false", "error_replies: true", ["error replies turned on"]),
        (
            "",
            "import_sent_from_phone: true, phone_8_to_7: true",
            ["import of messages sent from the phone turned on", "8 to +7 in contacts turned on"],
        ),
        (
            "default_channel: sales",
            "default_channel: support",
            ["default channel is now support (was sales)"],
        ),
        ("", "default_channel: sales", ["default channel is now sales (was not set)"]),
        ("default_channel: sales", "", ["default channel is now not set (was sales)"]),
        (
            'error_label: "[a]"',
            'error_label: "[b]"',
            ["label of error replies is now [b] (was [a])"],
        ),
        ("", 'blacklist: ["+7900*"]', ["blacklist: +1 pattern"]),
        ("", 'blacklist: ["+79001234567", "+79001234568"]', ["blacklist: +2 numbers"]),
        (
            'blacklist: ["+79001234567", "+79001234568", "+79001234569", "+4*"]',
            'blacklist: ["+7900*", "+4*"]',
            ["blacklist: +1 pattern, -3 numbers"],
        ),
        ('blacklist: ["+79001234567"]', 'blacklist: ["+7 900 123-45-67"]', []),
        ('blacklist: ["+79001234567", "+7*"]', 'blacklist: ["+7*", "+79001234567"]', []),
        ("", "title_in_messages: [support]", ["title in messages: +support"]),
        (
            "title_in_messages: [sales]",
            "title_in_messages: [support]",
            ["title in messages: +support, -sales"],
        ),
    ],
)
def test_settings(old: str, new: str, words: list[str]) -> None:
    """A changed setting is one line with both values; numbers are counted, not shown."""
    assert describe(_settings(old), _settings(new)) == words


def test_the_default_channel_that_goes_without_saying() -> None:
    """The only channel is the default one; a second one takes that away, which is told."""
    assert describe(config(SALES), config(BOTH))[1:] == [
        "default channel is now not set (was sales)"
    ]
    named = config(SALES, "settings: {default_channel: sales}\n")
    (told,) = describe(config(SALES), named)
    assert told == "default channel is sales as before, and now follows from the file"
    (told,) = describe(named, config(SALES))
    assert told == "default channel is sales as before, and now follows from there being no other"


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
            [
                "Анна may now send through the default channel",
                "Анна may no longer send through sales",
            ],
        ),
        (
            "7: {channels: [sales, support]}",
            "7: {channels: [support, sales]}",
            ["user 7 now sends through support, sales, in this order"],
        ),
        (
            "7: {channels: [sales]}",
            "7: {channels: [sales], sections: [blacklist, users], signature: Ваша А.}",
            ["user 7 may now see and change blacklist, users", "signature of user 7 added"],
        ),
        (
            "7: {channels: [], sections: [blacklist, users], signature: Ваша А.}",
            "7: {channels: [], sections: [users]}",
            ["user 7 may no longer see and change blacklist", "signature of user 7 removed"],
        ),
        (
            "7: {name: Анна, channels: [], signature: a}",
            "7: {name: Аня, channels: [], signature: b}",
            ["Аня was called Анна before", "signature of Аня changed"],
        ),
        (
            "7: {name: Анна, channels: []}, 8: {name: Анна, channels: []}",
            "7: {name: Анна, channels: []}, 8: {name: Анна, channels: [sales]}",
            ["Анна (8) may now send through sales"],
        ),
        ("", "everyone_else: {channels: []}", ["everyone else may now send through no channel"]),
        ("everyone_else: {channels: [sales]}", "", ["everyone else may no longer send"]),
    ],
)
def test_users(old: str, new: str, words: list[str]) -> None:
    """Who may do what is said by name, in a sentence; two of one name are told apart."""
    assert describe(_users(old), _users(new)) == words


def test_a_change_of_everything_is_cut_short() -> None:
    """A thousand users bound anew are a list that can still be read, with the rest counted."""
    many = "\n".join(f"  {id_}: {{channels: [sales]}}" for id_ in range(1, 1001))
    told = describe(config(BOTH), config(BOTH, f"users:\n{many}\n"))
    assert len(told) == MOST_TOLD
    assert told[-1] == f"and {1001 - MOST_TOLD} more changes"


def test_channels() -> None:
    """Channels come, go and change one by one; phone numbers are not shown."""
    old = config(SALES + "  old: {title: Old, engine: linked_device}\n" + SUPPORT)
    new = config(
        '  sales: {title: Продажи, engine: linked_device, phone: "+74950000001"}\n'
        "  new: {title: New, engine: linked_device, import_history: 14d}\n"
        + SUPPORT.replace('"a-support-token"', '"rotated"')
    )
    assert describe(old, new) == [
        "channel sales renamed from Sales to Продажи",
        "channel sales: number added",
        "channel old removed",
        "channel support: token changed",
        "channel new added",
    ]


def test_pacing_acts_live() -> None:
    """A changed pace is told limit by limit and leaves the session alone."""
    old = config(SALES)
    new = config(SALES.replace("}", ", pacing: {per_minute: 1, per_day: 30, typing: 3s}}"))
    assert describe(old, new) == [
        "channel sales: limit a minute to people who never wrote is now 1 (was 2)",
        "channel sales: limit a day to people who never wrote is now 30 (was 50)",
        "channel sales: typing before a message is now 3s (was off)",
    ]
    assert channel_changes(old, new).restarted == frozenset()


def test_a_changed_engine_is_one_line() -> None:
    """A channel that moves to the other engine is described by that alone."""
    moved = SUPPORT.replace("support:", "sales:").replace("Support", "Sales")
    assert describe(config(SALES), config(moved)) == [
        "channel sales: engine is now cloud_api (was linked_device)"
    ]


def test_the_rest_of_the_file() -> None:
    """Both values are shown; what needs a restart says so; secrets have no value."""
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
        "language is now en (was ru)",
        "amoCRM's token changed",
        "address of the chats API is now https://chats.example.com (was not set)",
        f"address for hooks is now 127.0.0.1:8081 (was 127.0.0.1:8080){LATER}",
        f"storage directory is now /srv/relay (was /etc/relay/data){LATER}",
        "log level is now debug (was info)",
        "time limit of messages to WhatsApp is now 2h (was 1h)",
    ]
    assert needs_restart(before, after) == ("server", "storage")


def test_every_key_of_the_file_has_words() -> None:
    """No key, of today or to come, changes without a name in the list."""
    keys = {
        ".".join((*path, key)) for path in PARTS for part in PARTS[path] for key in keys_of(part)
    }
    sections = {".".join(path) for path in PARTS} | {"channels", "users"}
    optional = {"amocrm.oauth", "amocrm.integration"}
    assert NOUNS.keys() == (keys - sections) | optional


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
        "amoCRM's token removed",
        "OAuth added",
        "secret key of the chats channel changed",
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
