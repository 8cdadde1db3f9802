"""Where files lie, and where they may be brought."""

from __future__ import annotations

import pytest

from relay.whatsapp.linked_device.media_access import read_access
from relay.whatsapp.linked_device.sealed import Sealed

LINE = (
    '<iq from="s.whatsapp.net" id="7.5-3" type="result"><media_conn auth="Ab-_9" auth_ttl="21600" '
    'max_buckets="12" ttl="300"><host hostname="media-fra3-1.cdn.whatsapp.net" type="primary"/>'
    '<host hostname="mmg.whatsapp.net"/></media_conn></iq>'
)


def place(url: str, path: str) -> str:
    return Sealed("Image", url, path, b"k" * 32, b"", b"").place


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("https://mmg.whatsapp.net/v/f?a=1", "/v/f?a=1", "https://mmg.whatsapp.net/v/f?a=1"),
        ("https://media-x.cdn.whatsapp.net/f", "/v/g", "https://media-x.cdn.whatsapp.net/v/g"),
        ("https://mmg.whatsapp.net/v/f?a=1", "", "https://mmg.whatsapp.net/v/f?a=1"),
        ("", "/v/f", "https://mmg.whatsapp.net/v/f"),
        ("https://evil.example/v/f", "/v/f", "https://mmg.whatsapp.net/v/f"),
        ("http://127.0.0.1:9090/metrics", "/v/f", "https://mmg.whatsapp.net/v/f"),
        ("http://mmg.whatsapp.net/f", "/v/f", "https://mmg.whatsapp.net/v/f"),
        ("https://evilwhatsapp.net/f", "/v/f", "https://mmg.whatsapp.net/v/f"),
        ("https://u:p@mmg.whatsapp.net/f", "/v/f", "https://mmg.whatsapp.net/v/f"),
        ("https://127.0.0.1:443/@x.whatsapp.net", "/f", "https://mmg.whatsapp.net/f"),
        ("https://127.0.0.1\\@x.whatsapp.net/", "/f", "https://mmg.whatsapp.net/f"),
    ],
)
def test_a_file_is_fetched_from_whatsapps_own_hosts_only(
    url: str, path: str, expected: str
) -> None:
    """Whatever a sender writes into his message, no other machine is asked."""
    assert place(url, path) == expected


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://evil.example/f", ""),
        ("", "f"),
        ("", "@evil.example/f"),
        ("", "/f\r\nHost: evil"),
        ("", "/файл"),
    ],
)
def test_a_message_that_names_no_place_has_none(url: str, path: str) -> None:
    """It is an error, not a request to somewhere."""
    with pytest.raises(ValueError, match="names no path"):
        place(url, path)


def test_the_permission_to_upload_is_read_from_the_librarys_log() -> None:
    """The first host, the word and until when; the word is never shown."""
    access = read_access(LINE, 1000.0)
    assert access is not None
    assert (access.host, access.auth, access.until_s) == (
        "media-fra3-1.cdn.whatsapp.net",
        "Ab-_9",
        1300.0,
    )
    assert "Ab-_9" not in repr(access)


@pytest.mark.parametrize(
    "line",
    [
        '<iq id="1" type="set" xmlns="w:m"><media_conn/></iq>',
        LINE.replace("whatsapp.net", "example.net"),
        LINE.replace('auth="Ab-_9"', 'auth=""'),
        LINE.replace('ttl="300"', 'ttl="soon"'),
        "media_conn auth ttl",
    ],
)
def test_a_line_that_gives_no_permission_gives_none(line: str) -> None:
    """The question itself, another service's host, an answer that makes no sense."""
    assert read_access(line, 0.0) is None
