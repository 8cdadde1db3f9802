"""A change of the file: what is wished is what it says afterwards, and nothing else has moved."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config.editor import Wish, WishRefusedError, rewritten
from relay.config.errors import ConfigErrors
from relay.config.load import parse
from relay.config.model import Config
from relay.config.secret import SecretSource

EXAMPLE = (Path(__file__).parents[2] / "config.example.yaml").read_text()
SECRETS = SecretSource(None, {}, required=False)
FILE = Path("/etc/relay/config.yaml")

BASE = """\
# Ours.
amocrm:
  account: https://example.amocrm.ru
  token: !secret amocrm_token    # from the keys tab
  chats: {channel_id: 11111111-2222-4333-8444-555555555555, secret: !secret chats}
server: {public_url: "https://relay.example.com"}
storage: {directory: storage}
channels:
  sales: {title: Продажи 🙂, engine: linked_device}
  support: {title: 'Поддержка', engine: linked_device}
"""


def edit(text: str, **wish: Any) -> str:
    """The text after a wish; ``users`` and ``settings`` as the page sends them."""
    done = rewritten(text.encode(), FILE, SECRETS, Wish(**wish))
    assert parse(done.content.decode(), FILE, SECRETS).config == done.after
    return done.content.decode()


def said(text: str) -> Config:
    return parse(text, FILE, SECRETS).config


def difference(before: str, after: str) -> list[str]:
    """The lines that went and came."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_one_value_is_one_line() -> None:
    """In the commented example just the value changes; every comment stays."""
    after = edit(EXAMPLE, settings={"phone_check": False, "error_label": "Ошибка: #1"})
    assert difference(EXAMPLE, after) == [
        "-   phone_check: true",
        "+   phone_check: false",
        '-   error_label: "[GNZS ERROR]"',
        '+   error_label: "Ошибка: #1"',
    ]


def test_what_is_wished_already_changes_nothing() -> None:
    """Not one character, however it is written."""
    wish = {"blacklist": ["+7 900 123-45-67", "+7900555*"], "default_channel": "sales"}
    assert edit(EXAMPLE, settings=wish) == EXAMPLE
    assert edit(EXAMPLE) == EXAMPLE


def test_a_setting_goes_back_to_its_default() -> None:
    """Its line goes, with the comment beside it."""
    text = BASE + "settings:\n  phone_check: false  # why\n  error_replies: false\n"
    after = edit(text, settings={"phone_check": None, "import_sent_from_phone": None})
    assert after == BASE + "settings:\n  error_replies: false\n"
    assert edit(after, settings={"error_replies": None}) == BASE + "settings:\n"


@pytest.mark.parametrize(
    ("section", "after"),
    [
        ("", "settings:\n  phone_check: false\n"),
        ("settings:\n", "settings:\n  phone_check: false\n"),
        (
            "settings:  # ours\n  # phone_check: true\n",
            "settings:  # ours\n  phone_check: false\n  # phone_check: true\n",
        ),
        ("settings: ~\n", "settings: {phone_check: false}\n"),
        ("settings: {}\n", "settings: {phone_check: false}\n"),
        (
            "settings: {error_replies: false}\n",
            "settings: {error_replies: false, phone_check: false}\n",
        ),
        (
            "settings:\n    error_replies: false  # four\n# end",
            "settings:\n    error_replies: false  # four\n    phone_check: false\n# end",
        ),
        (
            "settings:\n  error_replies: false",
            "settings:\n  error_replies: false\n  phone_check: false\n",
        ),
    ],
)
def test_a_new_key_stands_where_its_neighbours_do(section: str, after: str) -> None:
    """Whatever form the section has, or if there is none yet."""
    assert edit(BASE + section, settings={"phone_check": False}) == BASE + after


def test_lines_of_a_list_keep_their_comments() -> None:
    """Entries that stay stay as they were written; new ones come to the end."""
    text = BASE + (
        "settings:\n"
        "  blacklist:   # who annoys\n"
        "    # the first\n"
        '    - "+79001234567"   # Пётр\n'
        "    - '+7 900 555*'\n"
        "\n"
        '    - "+79007654321"\n'
        "users: {}\n"
    )
    wish = ["+79001234567", "+7900555*", "+79000000000"]
    assert sorted(difference(text, edit(text, settings={"blacklist": wish}))) == [
        '+     - "+79000000000"',
        "- ",
        '-     - "+79007654321"',
    ]
    assert edit(text, settings={"blacklist": []}) == BASE + (
        "settings:\n  blacklist: []   # who annoys\n    # the first\nusers: {}\n"
    )


def test_a_list_at_the_very_end_without_a_line_end() -> None:
    """What comes gets a line of its own, and what goes takes its own along."""
    text = BASE + "settings:\n  blacklist:\n  - '+79001234567'\n  - '+79007654321'"
    both = ["+79001234567", "+79007654321"]
    assert edit(text, settings={"blacklist": [*both, "+7900*"]}) == text + '\n  - "+7900*"\n'
    assert edit(text, settings={"blacklist": both[:1]}) == text.rpartition("  - ")[0]
    other = text.rpartition("  - ")[0] + '  - "+7900*"\n'
    assert edit(text, settings={"blacklist": [both[0], "+7900*"]}) == other


def test_lists_in_brackets_keep_their_comments() -> None:
    """Taking out and adding; a list that grows long becomes one entry a line."""
    text = BASE + (
        'settings: {blacklist: ["+79001234567",   # why\n    "+7900555*" ], phone_check:   true}\n'
    )
    assert "# why" in edit(text, settings={"blacklist": ["+79001234567"]})
    assert "# why" in edit(text, settings={"blacklist": ["+79001234567", "+7900555*", "+79007*"]})
    short = BASE + "settings:\n  blacklist: [ \"+79001234567\", '+7900555*' ]  # two\n"
    assert edit(short, settings={"blacklist": ["+7900555*", "+79001234568"]}) == BASE + (
        "settings:\n  blacklist: [ '+7900555*', \"+79001234568\" ]  # two\n"
    )
    many = ["+7900555*", *(f"+7900000000{n}" for n in range(9)), "+79001234567"]
    assert edit(short, settings={"blacklist": many}).splitlines()[-11:] == [
        "    - '+7900555*'",
        *(f'    - "+7900000000{n}"' for n in range(9)),
        '    - "+79001234567"  # two',
    ]


def test_users_come_change_and_go() -> None:
    """Of a user only the keys that changed are written; others keep their lines."""
    text = BASE + (
        "users:\n"
        "  # Анна sits in the corner\n"
        "  8124356:\n"
        "    name: Анна   # the boss\n"
        "    channels: [sales, support]\n"
        "    signature: |\n"
        "      Анна\n"
        "      Отдел продаж\n"
        "  17: {channels: [default]}\n"
        "  everyone_else:\n"
        "    channels: [sales]\n"
        "settings: {default_channel: sales}\n"
    )
    anna = {"name": "Анна", "channels": ["support"], "signature": "Анна\nОтдел продаж\n"}
    after = edit(text, users={"8124356": anna})
    assert difference(text, after) == [
        "-     channels: [sales, support]",
        "+     channels: [support]",
    ]
    after = edit(text, users={"8124356": anna | {"signature": None}, "17": None})
    assert "signature" not in after
    assert "17:" not in after
    new = {"name": "О'Нил: #1", "channels": ["sales"], "sections": ["blacklist", "users"]}
    after = edit(text, users={"99": new, "17": {"channels": ["default"], "name": "Б"}})
    assert difference(text, after) == [
        "-   17: {channels: [default]}",
        '+   17: {channels: [default], name: "Б"}',
        "+   99:",
        '+     name: "О\'Нил: #1"',
        "+     channels: [sales]",
        "+     sections: [blacklist, users]",
    ]


def test_anchors_elsewhere_stay_and_those_here_move() -> None:
    """A value that stands for another elsewhere is written there when it is changed here."""
    text = BASE + (
        "settings: {phone_check: &yes true, error_replies: *yes}\n"
        "users:\n"
        "  1: &team {channels: &both [sales, support]}\n"
        "  2: {channels: *both}\n"
        "  3: *team\n"
        "  4: {<<: *team, name: Четвёртый}\n"
    )
    after = edit(text, settings={"phone_check": False})
    assert "{phone_check: false, error_replies: &yes true}" in after
    after = edit(text, users={"2": {"channels": ["sales"]}})
    assert difference(text, after) == ["-   2: {channels: *both}", "+   2: {channels: [sales]}"]
    after = edit(text, users={"3": {"channels": ["sales"]}})
    assert difference(text, after) == ["-   3: *team", "+   3: {channels: [sales]}"]
    after = edit(text, users={"4": {"channels": ["sales"], "name": "Четвёртый"}})
    assert "4: {<<: *team, name: Четвёртый, channels: [sales]}" in after
    with pytest.raises(WishRefusedError, match="by hand"):
        edit(text, users={"1": {"channels": ["sales"]}})  # it would change 3 and 4 as well


def test_line_ends_marks_and_forms_of_other_editors() -> None:
    """CRLF, a byte order mark, JSON: each stays what it is."""
    crlf = (BASE + "settings:\n  phone_check: true\n").replace("\n", "\r\n")
    after = edit(crlf, settings={"phone_check": False, "error_replies": False})
    assert after == crlf.replace("true", "false") + "  error_replies: false\r\n"
    bom = b"\xef\xbb\xbf" + BASE.encode()
    done = rewritten(bom, FILE, SECRETS, Wish(settings={"phone_check": False}))
    assert done.content == bom + b"settings:\n  phone_check: false\n"
    json = (
        '{"amocrm": {"account": "https://example.amocrm.ru", "token": "t", "chats": {"channel_id":\
 "11111111-2222-4333-8444-555555555555", "secret": "s"}}, "server": {"public_url": "https://a.b"},\
 "storage": {"directory": "s"}, "channels": {"sales": {"title": "t", "engine": "linked_device"}}}'
    )
    after = edit(json, settings={"phone_check": False}, users={"5": {"channels": ["sales"]}})
    assert after == json[:-1] + (
        ", settings: {phone_check: false}, users: {5: {channels: [sales]}}}"
    )


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"settings": {"blacklist": ["+79001234567", "мама"]}}, "settings.blacklist.1"),
        ({"settings": {"phone_check": "yes"}}, "settings.phone_check"),
        ({"settings": {"default_channel": "slaes"}}, "settings.default_channel"),
        ({"settings": {"import_sent_from_phone": True}}, "settings.import_sent_from_phone"),
        ({"settings": {"storage": "x"}}, "settings.storage"),
        ({"settings": {"error_label": "a\nb"}}, "settings.error_label"),
        ({"users": {"anna": {"channels": []}}}, "users.anna"),
        ({"users": {"5": {}}}, "users.5.channels"),
        ({"users": {"5": {"channels": ["nowhere"]}}}, "users.5.channels.0"),
        ({"users": {"5": {"channels": ["sales"], "sections": ["x"]}}}, "users.5.sections.0"),
        ({"users": {"5": {"channels": ["sales"], "signature": "\x00"}}}, "users.5.signature"),
    ],
)
def test_mistakes_are_told_with_their_place(wish: dict[str, Any], path: str) -> None:
    """What the file would refuse is refused, at the place of the wish it stands in."""
    with pytest.raises(WishRefusedError) as trouble:
        edit(BASE, **wish)
    assert [mistake.path for mistake in trouble.value.mistakes] == [path]


def test_a_file_with_mistakes_is_left_alone() -> None:
    """Whoever made them is to mend them first."""
    with pytest.raises(ConfigErrors):
        edit(BASE + "settigs: {}\n", settings={"phone_check": False})


def test_no_secret_is_needed_or_shown() -> None:
    """Tags stay tags."""
    after = edit(BASE, settings={"phone_check": False})
    assert "token: !secret amocrm_token    # from the keys tab" in after


# --- Laws -----------------------------------------------------------------------------------------

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(list(":-#&*!|>'\"%@`{}[],?\\~=<\t \n\u00a0\u2028\u0085\ufeff🙂אя0")),
        st.characters(exclude_categories=["Cs", "Cc"]),
    ),
    min_size=1,
    max_size=40,
)
LABELS = HOSTILE.filter(
    lambda t: t.strip() and not any(c in t for c in "\n\t\x85\u2028\u2029\ufeff")
)
SIGNATURES = HOSTILE.filter(lambda t: bool(t.strip()))
NUMBERS = st.lists(st.from_regex(r"\+7[0-9]{8,10}\*?", fullmatch=True), max_size=14, unique=True)
CHANNELS = st.lists(st.sampled_from(["sales", "support"]), min_size=1, max_size=2, unique=True)
SECTIONS = [
    "",
    'settings:\n  error_label: x   # c\n  blacklist:\n    - "+79001234567"  # a\n# end\n',
    'settings: {error_label: "x", blacklist: ["+79001234567", "+79001234568"]}\n',
    "settings:\n  blacklist: []\nusers:\n  5:\n    channels: [sales]\n    name: |-\n      q\n",
    "users: {5: {channels: [support], signature: 'a'}}\nsettings:\n  blacklist: ['+7900*']\n",
]


@given(
    base=st.sampled_from(SECTIONS),
    label=LABELS,
    signature=SIGNATURES,
    numbers=NUMBERS,
    channels=CHANNELS,
)
def test_what_was_written_is_what_is_read(
    base: str, label: str, signature: str, numbers: list[str], channels: list[str]
) -> None:
    """Whatever YAML would make of it: the text comes back as it was, and the rest is untouched."""
    user = {"channels": channels, "signature": signature, "name": label}
    try:
        after = edit(
            BASE + base,
            settings={"error_label": label, "blacklist": numbers},
            users={"5": user, "6": user},
        )
    except WishRefusedError as refused:
        assert {m.path.rpartition(".")[2] for m in refused.mistakes} <= {  # noqa: PT017
            "error_label", "signature", "name",
        }, refused.mistakes  # fmt: skip
        return
    config = said(after)
    assert config.settings.error_label == label
    assert list(config.settings.blacklist) == numbers
    for key in (5, 6):
        assert config.users[key].signature == signature
        assert config.users[key].name == label
        assert list(config.users[key].channels) == channels
    assert after.startswith(BASE)
    assert ("# end" in after) == ("# end" in base)


@given(old=NUMBERS, new=NUMBERS, flow=st.booleans())
def test_lists_become_what_is_wished(old: list[str], new: list[str], flow: bool) -> None:
    """From any list to any other, in either form; an entry that stays keeps its comment."""
    if flow or not old:
        entries = ", ".join(f"'{n}'" for n in old)
        text = BASE + f"settings:\n  blacklist: [{entries}]\n  phone_check: false\n"
    else:
        lines = "".join(f"  - '{n}'  # {n}\n" for n in old)
        text = BASE + f"settings:\n  blacklist:\n{lines}  phone_check: false\n"
    after = edit(text, settings={"blacklist": new})
    assert list(said(after).settings.blacklist) == new
    assert after.endswith("  phone_check: false\n")
    for number in set(old) & set(new):
        assert f"'{number}'" in after
        assert flow or f"# {number}\n" in after
