"""Names of files from strangers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.file_names import tidy_name


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("contract.pdf", "contract.pdf"),
        ("Договор № 5.docx", "Договор № 5.docx"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\temp\\a.txt", "C__temp_a.txt"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie_ x.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("a\x00b\ud83d.pdf", "ab.pdf"),
        ("  ..  ", ""),
        ("", ""),
        ("я" * 300 + ".pdf", "я" * 116 + ".pdf"),
        ("я" * 300, "я" * 120),
        ("a." + "b" * 300, "a." + "b" * 118),
    ],
)
def test_a_name_is_made_fit(name: str, tidy: str) -> None:
    """Paths, line breaks, direction marks and excess go; the ending stays."""
    assert tidy_name(name) == tidy


@given(st.text(st.characters()))
def test_any_name_becomes_harmless(name: str) -> None:
    """It is a single printable line of bearable length without a path, and tidying is final."""
    tidy = tidy_name(name)
    assert len(tidy) <= 120
    assert tidy.isprintable()
    assert not set(tidy) & set('/\\\r\n"')
    assert not tidy.startswith(".")
    tidy.encode()
    assert tidy_name(tidy) == tidy
