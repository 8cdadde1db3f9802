"""The small protobuf codec reads and writes what the official library does."""

from __future__ import annotations

import pytest
from google.protobuf import type_pb2, wrappers_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.whatsapp_server.protobuf import Fields, WireError, encode


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1), st.text(max_size=50), st.binary(max_size=300))
def test_values_are_written_as_the_official_library_writes_them(
    number: int, text: str, data: bytes
) -> None:
    """Numbers, texts and bytes have the official spelling."""
    official = wrappers_pb2.Int64Value.FromString(encode((1, number)))
    assert official.value == number
    assert wrappers_pb2.StringValue.FromString(encode((1, text))).value == text
    assert wrappers_pb2.BytesValue.FromString(encode((1, data))).value == data


@settings(deadline=None)
@given(st.floats(allow_nan=False))
def test_doubles_are_written_as_the_official_library_writes_them(value: float) -> None:
    """A float is a double on the wire, as the coordinates of a place are."""
    assert wrappers_pb2.DoubleValue.FromString(encode((1, value))).value == value


def test_nested_and_repeated_fields_are_read() -> None:
    """A message of the official library is read by field number, repeated ones in order."""
    options = [type_pb2.Option(name=f"option {n}") for n in range(3)]
    written = type_pb2.Field(number=300, name="имя", options=options).SerializeToString()
    fields = Fields(written)
    assert (fields.number(3), fields.text(4)) == (300, "имя")
    assert [option.text(1) for option in fields.messages(9)] == ["option 0", "option 1", "option 2"]
    assert fields.message(9).text(1) == "option 2"


def test_absent_fields_are_empty() -> None:
    """What was not written reads as zero, as empty, and is not ``in`` the message."""
    fields = Fields(encode((1, None), (2, 0)))
    assert 1 not in fields
    assert 2 in fields
    assert (fields.number(1), fields.bytes(3), fields.text(4)) == (0, b"", "")


def test_a_field_of_another_kind_is_an_error() -> None:
    """Asking for bytes where a number stands, or the reverse, is said aloud."""
    fields = Fields(encode((1, 5), (2, b"x")))
    with pytest.raises(WireError):
        fields.bytes(1)
    with pytest.raises(WireError):
        fields.number(2)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_garbage_is_a_wire_error(data: bytes) -> None:
    """Whatever arrives, the reader gives fields or a ``WireError``, nothing else."""
    try:
        Fields(data)
    except WireError:
        return
