"""What ``relay pair`` and ``relay unpair`` refuse before they ask anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay.cli import main as cli

_FILE = """\
amocrm:
  account: https://example.amocrm.ru
  token: !secret amocrm_token
  chats:
    channel_id: 11111111-2222-4333-8444-555555555555
    secret: plain-chats-secret
server: {public_url: https://relay.example.com}
storage: {directory: storage}
channels:
  sales: {title: Sales, engine: linked_device, phone: "+74950000001"}
  hidden: {title: Hidden, engine: linked_device, proxy: !secret the_proxy}
  support:
    title: Support
    engine: cloud_api
    phone_number_id: "900111222333"
    token: t
    app_secret: s
    verify_token: v
settings: {default_channel: sales}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(_FILE)
    return path


def relay(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, arguments)))


@pytest.mark.parametrize("command", ["pair", "unpair"])
@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (
            "sale",
            "no such channel in the file (it has: sales, hidden, support); did you mean sales?",
        ),
        ("xyz", "no such channel in the file (it has: sales, hidden, support)\n"),
        ("support", "a channel of engine cloud_api is not linked"),
        ("hidden", "its proxy is a secret that is not here"),
    ],
)
def test_a_channel_that_cannot_be_linked(
    file: Path, command: str, channel: str, words: str
) -> None:
    """Exit 1 with the reason on standard error; nothing is made, and no proxy is passed by."""
    result = relay(command, channel, "-c", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{channel}: {words}" in result.stderr
    assert [path.name for path in file.parent.iterdir()] == ["config.yaml"]


def test_letters_for_another_number_than_the_files(file: Path) -> None:
    """A number that could only be refused later is refused at once."""
    result = relay("pair", "sales", "-c", file, "--code", "8 (495) 000-00-02")
    assert (result.exit_code, result.stdout) == (1, "")
    assert '`phone: "+74950000001"`, which is another number than +74950000002' in result.stderr


def test_a_program_is_told_by_an_event(file: Path) -> None:
    """With ``--events`` what went wrong is a line of JSON too, before anybody was asked."""
    result = relay("pair", "sales", "-c", file, "--events", "--code", "8 (495) 000-00-02")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["event"], told["why"], told["detail"]) == (
        "failed",
        "other_number",
        "+74950000001",
    )
    assert told["words"] in result.stderr


@pytest.mark.parametrize("written", ["", "12", "abc"])
def test_letters_for_no_number(file: Path, written: str) -> None:
    """What cannot be a number is wrong usage."""
    result = relay("pair", "sales", "-c", file, "--code", written)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not a telephone number" in result.stderr


@pytest.mark.parametrize("command", ["pair", "unpair"])
def test_a_bad_file(tmp_path: Path, command: str) -> None:
    """A file that is wrong is exit 78, as everywhere."""
    assert relay(command, "sales", "-c", tmp_path / "nothing.yaml").exit_code == 78


@pytest.mark.parametrize("command", ["pair", "unpair"])
def test_usage(command: str) -> None:
    """Both have help, and want a channel."""
    assert relay(command, "--help").exit_code == 0
    assert relay(command).exit_code == 2
