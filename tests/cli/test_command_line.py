"""The command line: what it prints where, and its exit status: 0, 1, 2 or 78."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay.cli import main as cli

_GOOD = """\
amocrm:
  account: https://example.amocrm.ru
  token: !secret amocrm_token
  chats:
    channel_id: 11111111-2222-4333-8444-555555555555
    secret: plain-chats-secret
server: {public_url: https://relay.example.com}
storage: {directory: storage}
channels:
  sales: {title: Sales, engine: linked_device}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(_GOOD)
    return path


def relay(*arguments: str | Path, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, arguments)), env=environment)


@pytest.mark.parametrize(
    "command", ["", "run", "check", "schema", "status", "phone", "explain", "widget", "demo"]
)
def test_every_command_has_help(command: str) -> None:
    """``--help`` prints what a command does on standard output and exits 0."""
    result = relay(*filter(None, [command]), "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert result.stderr == ""


def test_a_good_file(file: Path) -> None:
    """``check`` of a good file exits 0; a secret that is not there is only a warning."""
    result = relay("check", "-c", file)
    assert result.exit_code == 0
    assert "no errors" in result.stdout
    assert "warning: " in result.stderr
    assert "RELAY_AMOCRM_TOKEN" in result.stderr


def test_the_file_may_be_named_by_the_environment(file: Path) -> None:
    """Without ``-c`` the file is $RELAY_CONFIG."""
    environment = {"RELAY_CONFIG": str(file), "RELAY_AMOCRM_TOKEN": "token-of-the-shell"}
    result = relay("check", environment=environment)
    assert (result.exit_code, result.stderr) == (0, "")
    assert str(file) in result.stdout


def test_a_bad_file(file: Path) -> None:
    """``check`` tells all errors, with their places, on standard error, and exits 78."""
    file.write_text(_GOOD.replace("title: Sales", "titel: Sales") + "log: {level: loud}\n")
    result = relay("check", "-c", file)
    assert (result.exit_code, result.stdout) == (78, "")
    lines = result.stderr.splitlines()
    assert any(line.startswith(f"{file}:10:") and "nearest" in line for line in lines)
    assert any(line.startswith(f"{file}:11:14: log.level: ") for line in lines)


def test_a_missing_file(tmp_path: Path) -> None:
    """No such file: exit 78, said in words."""
    result = relay("check", "-c", tmp_path / "nothing.yaml")
    assert result.exit_code == 78
    assert "there is no such file" in result.stderr


def test_a_missing_secret_forbids_running(file: Path) -> None:
    """What ``check`` only warns of is an error for ``run``: exit 78, nothing started."""
    result = relay("run", "-c", file, environment={"RELAY_AMOCRM_TOKEN": ""})
    assert result.exit_code == 78
    assert not (file.parent / "storage").exists()


def test_secrets_are_not_printed(file: Path) -> None:
    """Neither a good nor a bad file makes ``check`` print a secret."""
    bad = file.with_name("bad.yaml")
    bad.write_text(
        _GOOD.replace("public_url: https://relay.example.com", "public_url: plain-chats-secret")
    )
    for path in (file, bad):
        result = relay("check", "-c", path, environment={"RELAY_AMOCRM_TOKEN": "secret-token"})
        assert "plain-chats-secret" not in result.output
        assert "secret-token" not in result.output


def test_the_schema() -> None:
    """``schema`` prints a JSON Schema with every section of the file, and nothing else."""
    result = relay("schema")
    schema = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert schema["properties"].keys() >= {"amocrm", "server", "storage", "channels", "settings"}


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("chek", "check"), ("statsu", "status"), ("rnu", "run"), ("scheme", "schema")],
)
def test_the_nearest_command(wrong: str, nearest: str) -> None:
    """An unknown command exits 2 and names the one that was meant."""
    result = relay(wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"No such command '{wrong}'. Did you mean '{nearest}'?" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("check", "--confg"), ("check", "more"), ("run", "-c"), ("--port",), ("demo", "--port", "x")],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    """Wrong options and arguments exit 2, with the reason on standard error."""
    result = relay(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


def test_nothing_near() -> None:
    """A word near to nothing is not compared with anything."""
    assert "Did you mean" not in relay("xyzzy").stderr


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--version"], 0), (["chek"], 2), (["check", "-c", "/nowhere"], 78)]
)
def test_the_installed_command(arguments: list[str], status: int) -> None:
    """``python -m relay`` is the same command line, with the same exit status."""
    command = [sys.executable, "-m", "relay", *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == status  # noqa: S603
