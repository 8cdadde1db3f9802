"""Where files lie, and where they may be brought."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.media_access import media_proxy, read_access
from relay.whatsapp.linked_device.sealed import Sealed

ERROR = (
    'failed to execute request: Post "https://media-fra3-1.cdn.whatsapp.net/mms/document/dG9r?'
    'auth=Ab-_9%2B%26&token=dG9r": proxyconnect tcp: dial tcp 127.0.0.1:0: connection refused'
)


def answer(error: str) -> bytes:
    there: Message = protobufs.load().UploadReturnFunction(Error=error)
    return there.SerializeToString()


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


def test_the_permission_to_upload_is_read_from_an_upload_that_leads_to_nobody() -> None:
    """The host, the word and until when, a minute on; the word is never shown."""
    access = read_access(answer(ERROR), 1000.0)
    assert access is not None
    assert (access.host, access.auth, access.until_s) == (
        "media-fra3-1.cdn.whatsapp.net",
        "Ab-_9+&",
        1060.0,
    )
    assert "Ab-_9" not in repr(access)


@pytest.mark.parametrize(
    "told",
    [
        answer("failed to refresh media connections: info query timed out"),
        answer(ERROR.replace("whatsapp.net", "example.net")),
        answer(ERROR.replace("auth=Ab-_9%2B%26", "auth=")),
        answer(""),
        b"",
        b"\xff",
    ],
)
def test_an_answer_that_gives_no_permission_gives_none(told: bytes) -> None:
    """WhatsApp was silent, another service's host, an upload that went through, no answer."""
    assert read_access(told, 0.0) is None


@pytest.mark.parametrize(
    ("proxy", "environment", "bypassed", "expected"),
    [
        ("socks5://a:b@p:1", "http://e:2", "", "socks5://a:b@p:1"),
        (None, "http://e:2", "", "http://e:2"),
        (None, "e:2", "", "http://e:2"),
        (None, "socks5h://e:2", "", "socks5://e:2"),
        (None, "http://e:2", "whatsapp.net", ""),
        (None, "", "", ""),
    ],
)
def test_the_librarys_way_to_the_media_host_is_led_back_to_what_it_was(
    monkeypatch: pytest.MonkeyPatch,
    proxy: str | None,
    environment: str,
    bypassed: str,
    expected: str,
) -> None:
    """The channel's proxy, else the environment's in words that the library takes, else none."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", environment)
    monkeypatch.setenv("NO_PROXY", bypassed)
    assert media_proxy(proxy) == expected
