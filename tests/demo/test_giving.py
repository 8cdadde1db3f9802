"""Files of strangers, as they are given to browsers."""

from __future__ import annotations

import pytest

from relay.demo.giving import give

DATA = bytes(range(100))


@pytest.mark.parametrize(
    ("content_type", "how"),
    [
        ("image/png", "inline"),
        ("audio/ogg; codecs=opus", "inline"),
        ("video/mp4", "inline"),
        ("application/pdf", "attachment"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("Image/SVG+XML ; charset=utf-8", "attachment"),
        ("application/octet-stream", "attachment"),
    ],
)
def test_what_could_run_is_to_be_saved(content_type: str, how: str) -> None:
    """Pictures, films and sound are shown; all else is saved, and nothing is guessed or run."""
    headers = give(DATA, content_type, "имя.x").headers
    disposition = headers["Content-Disposition"]
    assert disposition == f"{how}; filename*=UTF-8''%D0%B8%D0%BC%D1%8F.x"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize(
    ("asked", "status", "body", "where"),
    [
        ("", 200, DATA, None),
        ("bytes=0-", 206, DATA, "bytes 0-99/100"),
        ("bytes=10-19", 206, DATA[10:20], "bytes 10-19/100"),
        ("bytes=90-1000", 206, DATA[90:], "bytes 90-99/100"),
        ("bytes=100-", 416, b"", "bytes */100"),
        ("bytes=9-3", 416, b"", "bytes */100"),
        ("bytes=-5", 200, DATA, None),
        ("bytes=0-1,5-6", 200, DATA, None),
        ("nonsense", 200, DATA, None),
    ],
)
def test_a_part_is_given_where_one_is_asked_for(
    asked: str, status: int, body: bytes, where: str | None
) -> None:
    """A player that moves about gets just that part; what makes no sense gets everything."""
    given = give(DATA, "audio/ogg", "a.ogg", asked)
    assert (given.status, given.body, given.headers.get("Content-Range")) == (status, body, where)


def test_a_name_cannot_add_headers() -> None:
    """Whatever a file is called, it is one header's value."""
    value = give(DATA, "image/png", 'a"\r\nX-Evil: 1;é').headers["Content-Disposition"]
    assert value.isascii()
    assert not set('"\r\n') & set(value)
