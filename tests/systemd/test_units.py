"""The units are right in systemd's own eyes, and harden the relay as far as it still runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
_OK = 5.0  # systemd-analyze: below 5 is "OK", below 2 "SAFE"
_ANALYZE = shutil.which("systemd-analyze")

needs_systemd = pytest.mark.skipif(
    _ANALYZE is None, reason="systemd-analyze is missing: apt-get install systemd"
)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The units with a program that is there; templates as an instance of theirs."""
    for unit in UNITS.iterdir():
        text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", unit.read_text())
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def _analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert _ANALYZE is not None
    command = [_ANALYZE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


@needs_systemd
@pytest.mark.parametrize("unit", ["relay.service", "relay.socket"])
def test_systemd_finds_nothing_wrong(copies: Path, unit: str) -> None:
    """``systemd-analyze verify`` accepts the unit without a word."""
    result = _analyze("verify", "--man=no", copies / unit)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("unit", ["relay@.service", "relay@.socket"])
def test_systemd_finds_nothing_wrong_with_an_instance(copies: Path, unit: str) -> None:
    """The templates are right for an instance."""
    for template in ("relay@.service", "relay@.socket"):
        instance = copies / template.replace("@", "@shop")
        instance.write_text((copies / template).read_text())
    result = _analyze("verify", "--man=no", copies / unit.replace("@", "@shop"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("unit", ["relay.service", "relay@.service"])
def test_the_exposure_is_ok(copies: Path, unit: str) -> None:
    """``systemd-analyze security`` calls the service OK or better."""
    path = copies / unit.replace("@", "@shop")
    path.write_text((copies / unit).read_text())
    result = _analyze("security", "--offline=yes", "--no-pager", path)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+) (\w+)", result.stdout)
    assert found is not None, result.stdout + result.stderr
    assert float(found[1]) < _OK, result.stdout


@pytest.mark.parametrize("unit", ["relay.service", "relay@.service"])
def test_the_service_keeps_the_relays_side_of_the_bargain(unit: str) -> None:
    """What the relay counts on: notification, watchdog, no restart on 78, time to drain."""
    settings = _settings(UNITS / unit)
    assert settings["Type"] == "notify"
    assert settings["RestartPreventExitStatus"] == "78"
    assert int(settings["WatchdogSec"].removesuffix("s")) >= 4 * 5, "beats come every five seconds"
    assert int(settings["TimeoutStopSec"].removesuffix("s")) > 5 + 10 + 5, "drain, sessions, door"
    assert "NEONIZE_BOT_TAG=off" in settings["Environment"], "else the relay starts itself twice"
    assert settings["ExecReload"].startswith("/bin/kill -HUP")
    assert "LoadCredential" in settings
    assert " run --config /etc/relay/" in settings["ExecStart"]


@pytest.mark.parametrize("unit", ["relay.socket", "relay@.socket"])
def test_the_socket_has_the_name_that_the_relay_looks_for(unit: str) -> None:
    """``FileDescriptorName=listen`` is the door for hooks."""
    settings = _settings(UNITS / unit)
    assert settings["FileDescriptorName"] == "listen"
    assert settings["Service"] == unit.replace("socket", "service").replace("@", "@%i")


def _settings(unit: Path) -> dict[str, str]:
    lines = (line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line)
    return {name: value for name, value in lines if not name.startswith("#")}
