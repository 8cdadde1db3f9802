"""Files that load: what they mean, and what is left out."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from relay.config.addresses import Address
from relay.config.channel import CloudApi, LinkedDevice, Pacing
from relay.config.errors import ConfigErrors
from relay.config.load import load
from relay.config.secret import Secret, SecretSource
from relay.domain.ids import ChannelId
from relay.domain.retry import DAY, HOUR
from relay.domain.settings import Language
from tests.config.writing import (
    AMOCRM,
    NOWHERE,
    SALES,
    SUPPORT,
    config,
    loaded,
    written,
)

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
BOTH = SALES + SUPPORT


def test_the_example_loads_as_it_is() -> None:
    """The example passes an administrator's check: only its secrets are not there, as warnings."""
    result = load(EXAMPLE, SecretSource.of({}, required=False))
    assert len(result.warnings) == 6
    assert all("the secret is not there" in warning.message for warning in result.warnings)
    assert list(result.config.channels) == ["sales", "support"]


def test_every_key_has_its_default() -> None:
    """What the contract lets one leave out has the value the contract names."""
    made = config()
    sales = made.channels[ChannelId("sales")]
    assert isinstance(sales, LinkedDevice)
    assert sales.pacing == Pacing(per_minute=2, per_hour=20, per_day=50, typing_ms=None)
    settings = made.settings
    assert (settings.phone_check, settings.error_replies) == (True, True)
    assert (settings.import_sent_from_phone, settings.phone_8_to_7) == (False, False)
    assert (settings.title_in_messages, settings.blacklist) == ((), ())
    assert settings.error_label == "[GNZS ERROR]"
    assert made.delivery.give_up_after.amocrm_ms == DAY
    assert made.delivery.give_up_after.whatsapp_ms == HOUR
    assert made.delivery.keep_delivered_ms == 30 * DAY
    assert (made.log.level, made.log.format) == ("info", None)
    assert made.server.listen == Address("127.0.0.1", 8080)
    assert made.server.admin_listen == Address("127.0.0.1", 9090)
    assert made.language is Language.RU
    assert made.users == {}
    assert made.user(1) is None


def test_everything_written_is_read() -> None:
    """Each key of a full file is found in the model, in the model's units."""
    text = written(
        channels=(
            '  sales: {title: "Отдел", engine: linked_device, phone: "+7 (495) 000-00-01",\n'
            "    proxy: socks5://anna:pw@127.0.0.1:1080, pipeline_id: 4711, import_history: 14d,\n"
            "    pacing: {per_minute: 1, per_hour: 10, typing: 3s}}\n" + SUPPORT
        ),
        more=(
            "language: en\nlog: {level: debug, format: console}\n"
            "delivery: {give_up_after: {amocrm: 90m, whatsapp: 30s}, keep_delivered: 7d}\n"
            "settings:\n  phone_check: no\n  error_replies: off\n  error_label: '[!]'\n"
            "  default_channel: support\n  import_sent_from_phone: yes\n"
            '  title_in_messages: [support]\n  blacklist: ["+79001234567", "+7900555*"]\n'
            "  phone_8_to_7: true\n"
            "users:\n  8124356: {name: Анна, channels: [default, sales, support],\n"
            '    signature: "Анна\\nпродажи", sections: [blacklist, users]}\n'
            "  everyone_else: {channels: [default]}\n"
        ),
    )
    made = loaded(text).config
    sales = made.channels[ChannelId("sales")]
    assert isinstance(sales, LinkedDevice)
    assert (sales.title, sales.phone, sales.pipeline_id) == ("Отдел", "+74950000001", 4711)
    assert sales.import_history_ms == 14 * DAY
    pacing = sales.pacing
    assert (pacing.per_minute, pacing.per_hour, pacing.per_day) == (1, 10, 50)
    assert pacing.typing_ms == 3_000
    assert sales.proxy == Secret("socks5://anna:pw@127.0.0.1:1080")
    support = made.channels[ChannelId("support")]
    assert isinstance(support, CloudApi)
    assert support.token.reveal() == "a-support-token"
    assert support.url == "https://graph.facebook.com/v26.0"
    assert made.delivery.give_up_after.amocrm_ms == 90 * 60_000
    assert made.delivery.give_up_after.whatsapp_ms == 30_000
    assert not made.settings.phone_check
    assert made.settings.import_sent_from_phone
    assert made.settings.blacklist == ("+79001234567", "+7900555*")
    anna, other = made.user(8124356), made.user(1)
    assert anna is not None
    assert other is not None
    assert anna.sections == ("blacklist", "users")
    assert made.channels_of(anna) == ("support", "sales")
    assert made.channels_of(other) == ("support",)


@pytest.mark.parametrize(
    ("channels", "settings", "default"),
    [
        (SALES, "", "sales"),
        (BOTH, "", None),
        (BOTH, "settings: {default_channel: support}\n", "support"),
    ],
)
def test_the_default_channel(channels: str, settings: str, default: str | None) -> None:
    """The default channel is the one set, else the only one, else there is none."""
    assert config(channels, settings).default_channel == default


def test_a_user_bound_to_the_only_channel_by_default() -> None:
    """With one channel, ``default`` needs no setting."""
    made = config(more="users: {7: {channels: [default]}}\n")
    user = made.user(7)
    assert user is not None
    assert made.channels_of(user) == ("sales",)


@pytest.mark.parametrize("section", ["log", "delivery", "settings", "users"])
def test_an_optional_section_may_be_commented_out(section: str) -> None:
    """A section with nothing under it is as good as left out, and so is an empty list."""
    assert config(more=f"{section}:\n  # nothing\n") == config()
    nothing = SALES.replace("}", ", pacing: }")
    assert config(nothing) == config()
    assert config(more="settings:\n  blacklist:\n  title_in_messages:\n") == config()


@pytest.mark.parametrize(
    ("account", "url"),
    [
        ("https://example.amocrm.ru", "https://amojo.amocrm.ru"),
        ("https://EXAMPLE.kommo.com/", "https://amojo.kommo.com"),
    ],
)
def test_the_chats_url_follows_the_account(account: str, url: str) -> None:
    """Without ``chats.url`` the chats API is the one of the account's domain."""
    made = config(amocrm=AMOCRM.replace("https://example.amocrm.ru", account))
    assert made.amocrm.chats_url == url
    assert made.amocrm.account == account.lower().rstrip("/")


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:8123", "[::1]:8123", "127.9.9.9"])
def test_plain_http_is_for_loopback(host: str) -> None:
    """Plain http is accepted for this machine."""
    text = AMOCRM.replace("https://example.amocrm.ru", f"http://{host}")
    made = config(amocrm=text + f"    url: http://{host}/chats/\n")
    assert made.amocrm.account == f"http://{host}"
    assert made.amocrm.chats_url == f"http://{host}/chats"


def test_a_relative_directory_counts_from_the_file(tmp_path: Path) -> None:
    """``storage.directory`` is relative to the file as named, not to where we started."""
    path = tmp_path / "relay.yaml"
    path.write_text(written())
    assert load(path, NOWHERE).config.storage.directory == tmp_path / "data"


def test_anchors_aliases_and_merge_keys() -> None:
    """An alias repeats its anchor; merged keys give way to a mapping's own and to earlier ones."""
    channels = (
        "  sales: &base\n    title: &title Sales\n    engine: linked_device\n    pipeline_id: 1\n"
        "  north: {<<: *base, title: North}\n"
        "  south: {<<: [{pipeline_id: 3}, *base], title: *title}\n"
    )
    made = config(channels).channels
    assert [(one.title, one.pipeline_id) for one in made.values()] == [
        ("Sales", 1),
        ("North", 1),
        ("Sales", 3),
    ]


def test_a_merged_mistake_is_shown_where_it_is_written() -> None:
    """A wrong value brought by a merge key is reported at its own line, under both paths."""
    channels = "  a: &a\n    title: 5\n    engine: linked_device\n  b: {<<: *a}\n"
    with pytest.raises(ConfigErrors) as caught:
        config(channels)
    assert [(error.line, error.path) for error in caught.value.errors] == [
        (14, "channels.a.title"),
        (14, "channels.b.title"),
    ]


def test_keys_are_read_as_written() -> None:
    """YAML 1.1 reads ``no`` and ``0123`` as something else; as a channel's id they are words."""
    made = config(
        channels=(
            "  no: {title: Norway, engine: linked_device}\n"
            "  0123: {title: Octal, engine: linked_device}\n"
        ),
        more="settings: {default_channel: no, title_in_messages: [0123]}\n",
    )
    assert list(made.channels) == ["no", "0123"]
    assert made.default_channel == "no"
    assert made.settings.title_in_messages == ("0123",)


def test_standard_tags_and_line_ends() -> None:
    """``!!str`` makes text of a number; a mark at the beginning and DOS line ends do no harm."""
    text = written(channels="  a: {title: !!str 2024, engine: linked_device}\n")
    made = loaded(text.replace("\n", "\r\n")).config
    assert made.channels[ChannelId("a")].title == "2024"


def test_a_byte_order_mark(tmp_path: Path) -> None:
    """Windows editors begin UTF-8 with a mark; it is not part of the first key."""
    path = tmp_path / "relay.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + written().encode())
    assert load(path, NOWHERE).config.language is Language.RU


def test_doubts_are_warnings() -> None:
    """What is listed twice, and an admin door open to the world, are warned of; the file loads."""
    text = written(
        more=(
            'settings:\n  blacklist: ["+79001234567", "+7 900 123-45-67"]\n'
            "users: {7: {channels: [sales, sales]}}\n"
        ),
    ).replace("server:\n", 'server:\n  admin_listen: "0.0.0.0:9090"\n')
    assert [str(warning) for warning in loaded(text).warnings] == [
        (
            "/etc/relay/a.yaml:9:17: server.admin_listen: 0.0.0.0:9090 may be reached from outside;"
            " health and metrics are not public"
        ),
        "/etc/relay/a.yaml:16:31: settings.blacklist[1]: listed already, on line 16",
        "/etc/relay/a.yaml:17:31: users.7.channels[1]: listed already, on line 17",
    ]


@pytest.mark.parametrize(
    ("redirect", "doubted"),
    [
        ("https://relay.example.com/amocrm/oauth", False),
        ("https://relay.example.com/amocrm/oauth/", True),
        ("https://relay.example.com/oauth", True),
        ("https://other.example.com/amocrm/oauth", True),
    ],
)
def test_a_redirect_that_does_not_lead_here_is_doubted(redirect: str, doubted: bool) -> None:
    """amoCRM sends the administrator there; another address may be a proxy's, so the file loads."""
    oauth = (
        "  oauth: {client_id: 22222222-3333-4444-8555-666666666666, client_secret: s,"
        f" redirect_uri: '{redirect}'}}\n"
    )
    text = re.sub(r"  token: .*\n", oauth, written())
    assert [
        "the relay answers at https://relay.example.com/amocrm/oauth" in str(warning)
        for warning in loaded(text).warnings
    ] == [True] * doubted


def test_the_configuration_cannot_be_changed() -> None:
    """Neither a field, nor a mapping, nor a list of a configuration can be changed."""
    made = config()
    with pytest.raises(FrozenInstanceError):
        made.language = Language.EN  # type: ignore[misc]  # the law forbids it
    with pytest.raises(TypeError):
        made.channels[ChannelId("x")] = made.channels[ChannelId("sales")]  # type: ignore[index]
    with pytest.raises(TypeError):
        made.users[1] = None  # type: ignore[index]
    assert isinstance(made.settings.blacklist, tuple)


def test_equal_files_give_equal_configurations() -> None:
    """A reload that changes nothing is seen as such, whatever the comments and the order."""
    text = written(BOTH, "users: {7: {channels: [sales]}}\n")
    assert loaded(text).config == loaded("# a comment\n" + text.replace("  data", "   data")).config


def test_the_exception_holds_nothing_else() -> None:
    """No library's exception, with the input in it, hangs on ours."""
    with pytest.raises(ConfigErrors) as caught:
        loaded(written(more="settings: {phone_check: 5}\n"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_large_file_loads() -> None:
    """A thousand users and a hundred thousand blacklisted numbers are read, every one of them."""
    numbers = "".join(f'    - "+7900{number:07d}"\n' for number in range(100_000))
    users = "".join(f"  {user}: {{channels: [sales, support]}}\n" for user in range(1, 1001))
    made = config(
        BOTH, f"settings:\n  default_channel: sales\n  blacklist:\n{numbers}users:\n{users}"
    )
    assert len(made.settings.blacklist) == 100_000
    assert len(made.users) == 1_000
