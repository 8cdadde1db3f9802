"""Which lines of the library's log are whose."""

from __future__ import annotations

import ctypes

import pytest
from structlog.testing import capture_logs

from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.library_log import hear_log

WITHHELD = "Ignoring message 3A01 from 79161234567@s.whatsapp.net: received with old counter"
GOODBYE = "Got 401: logged out connect failure, sending LoggedOut event and deleting session"


def hear(level: str, line: str) -> tuple[list[str], list[str]]:
    """What is overheard of a line, and what our own log says of it."""
    entry = protobufs.load().LogEntry(Message=line, Level=level, Name="Client/Recv")
    return hear_bytes(entry.SerializeToString())


def hear_bytes(data: bytes) -> tuple[list[str], list[str]]:
    buffer = ctypes.create_string_buffer(data, max(1, len(data)))
    overheard: list[str] = []
    with capture_logs() as said:
        hear_log(ctypes.addressof(buffer), len(data), overheard.append)
    return overheard, [str(entry.get("message", entry["event"])) for entry in said]


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_what_tells_of_an_end_is_overheard(level: str) -> None:
    """And not said: the session says it itself."""
    assert hear(level, GOODBYE) == ([GOODBYE], [])


def test_what_tells_of_a_withheld_message_is_overheard() -> None:
    """And not said: whoever hears it knows whether anything is amiss."""
    assert hear("WARN", WITHHELD) == ([WITHHELD], [])


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("line", ["<message>hello</message>", "", "WARN", "ERROR"])
def test_what_is_for_nobody_goes_nowhere(level: str, line: str) -> None:
    """Stanzas are in it, with what people write to each other."""
    assert hear(level, line) == ([], [])


@pytest.mark.parametrize("level", ["WARN", "ERROR"])
@pytest.mark.parametrize("line", ["Keepalive timed out", "a DEBUG of the INFO", "\x12 DEBUG \x1a"])
def test_a_warning_is_said(level: str, line: str) -> None:
    """Whatever its words look like."""
    assert hear(level, line) == ([], [line])


def test_a_number_in_a_warning_is_masked() -> None:
    """Nobody's number gets into our log."""
    _, said = hear("WARN", "no session with 79161234567:1")
    assert "no session with" in said[0]
    assert "79161234567" not in said[0]


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\x0a\x7f"])
def test_a_line_that_cannot_be_read_raises_nothing(data: bytes) -> None:
    """What is raised into the library ends nowhere anybody looks."""
    overheard, said = hear_bytes(data)
    assert overheard == []
    assert set(said) <= {"library_log_unreadable"}
