"""The tests' own reader of QR codes reads what a library has written."""

from __future__ import annotations

import segno
from hypothesis import given
from hypothesis import strategies as st

from tests.widget.qr_reader import read


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=360))
def test_what_is_written_is_read(text: str) -> None:
    """Any text of bytes, in every version that is needed."""
    code = segno.make(text + "~", error="l", micro=False, boost_error=False)
    assert read([list(row) for row in code.matrix]) == text + "~"
