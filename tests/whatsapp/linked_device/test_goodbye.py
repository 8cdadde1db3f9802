"""What the library's log tells of the end of a session."""

from __future__ import annotations

import pytest

from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.goodbye import read_goodbye
from relay.whatsapp.linked_device.states import verdict_on

END = "sending LoggedOut event and deleting session"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"Got 401: logged out from another device connect failure, {END}", "removed on the phone"),
        (f"Got 403: main device gone connect failure, {END}", "locked"),
        (f"Got 406: unknown logout reason connect failure, {END}", "banned"),
        (f"Got device removed stream error, {END}", "removed on the phone"),
        (f"Got what nobody has heard yet, {END}", "removed on the phone"),
    ],
)
def test_a_goodbye_is_the_event_that_it_speaks_of(line: str, words: str) -> None:
    """With the reason, if the line gives one."""
    data = read_goodbye(line)
    assert data is not None
    verdict = verdict_on(Code.LOGGED_OUT, data)
    assert verdict is not None
    assert words in verdict.reason


@pytest.mark.parametrize("line", ["", "Got 503: no service connect failure", "Got 401"])
def test_another_line_is_none(line: str) -> None:
    """Only what the library says when it forgets a device."""
    assert read_goodbye(line) is None
