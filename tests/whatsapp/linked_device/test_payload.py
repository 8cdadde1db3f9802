"""The form in which raw events are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.payload import RawEvent, unwrap, wrap

numbers = st.from_regex(r"[0-9]{1,20}", fullmatch=True)


@given(st.integers(0, 10**6), numbers, st.binary())
def test_a_payload_gives_back_its_event(code: int, own: str, data: bytes) -> None:
    """What is wrapped comes out again, whatever bytes the event holds."""
    event = RawEvent(code, OwnNumber(own), data)
    assert unwrap(wrap(event)) == event


@given(st.text(min_size=1, max_size=100))
def test_a_payload_gives_back_the_name_of_the_address_book(name: str) -> None:
    """Whatever its characters, within one line; blanks around it mean nothing."""
    payload = wrap(RawEvent(17, OwnNumber("74950000001"), b"x", name))
    header, _, data = payload.partition(b"\n")
    assert data == b"x"
    assert header.isascii()
    assert unwrap(payload).name == (name.encode(errors="replace").decode().strip() or None)


def test_the_form_with_a_name_does_not_change() -> None:
    """Also for ever."""
    event = RawEvent(17, OwnNumber("74950000001"), b"x", "Анна С")
    assert wrap(event) == b"linked_device/2 17 74950000001 %D0%90%D0%BD%D0%BD%D0%B0%20%D0%A1\nx"


def test_the_form_does_not_change() -> None:
    """Rows written by an earlier release are read for ever, so the form is fixed byte by byte."""
    event = RawEvent(17, OwnNumber("74950000001"), b"\x0a\n")
    assert wrap(event) == b"linked_device/1 17 74950000001\n\x0a\n"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"linked_device/1 17 74950000001",
        b"linked_device/2 17 74950000001\n",
        b"linked_device/1 x 74950000001\n",
        b"linked_device/1 17 \n",
        b"linked_device/1 17 74950000001 more\n",
        b"linked_device/1 17 " + b"7" * 100 + b"\n",
    ],
)
def test_anything_else_is_refused(payload: bytes) -> None:
    """What is not of this form is a ``ValueError``, never a guess."""
    with pytest.raises(ValueError, match="not a payload"):
        unwrap(payload)
