"""Single values: what is taken, what it means, what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config import addresses, values
from relay.config.values import WrongValueError
from relay.domain.retry import DAY, HOUR, MINUTE, SECOND

PUNCTUATION = st.text(" -().", max_size=2)


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), st.lists(PUNCTUATION, min_size=16))
def test_any_punctuation_of_a_number_is_one_number(digits: str, between: list[str]) -> None:
    """A number means the same however it is punctuated."""
    punctuated = "+" + "".join(mark + digit for mark, digit in zip(between, digits, strict=False))
    assert values.phone(punctuated) == f"+{digits}"
    assert values.listed_number(punctuated + "*") == f"+{digits}*"


@given(st.text())
def test_a_number_is_e164_or_refused(text: str) -> None:
    """Whatever is taken for a number is a plus and 7 to 15 digits, not beginning with 0."""
    try:
        number = values.phone(text)
    except WrongValueError:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("89001234567", "+79001234567"), ("7 900 123 45 67", "+79001234567"), ("9001234567", None)],
)
def test_a_number_as_people_dial_it_is_refused_with_what_is_meant(
    text: str, meant: str | None
) -> None:
    """A number without its country code is not guessed, but said if it can only be Russian."""
    with pytest.raises(WrongValueError) as caught:
        values.phone(text)
    assert (meant in str(caught.value)) if meant else ("country code" not in str(caught.value))


@pytest.mark.parametrize("text", ["*", "+*", "+0*", "7900*", "+79*00*", "+7900123456789012*", ""])
def test_patterns_that_list_nobody_knows_whom(text: str) -> None:
    """A pattern begins as a number does, and has its star at the end only."""
    with pytest.raises(WrongValueError):
        values.listed_number(text)


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("30s", 30 * SECOND), ("5m", 5 * MINUTE), ("24h", DAY), ("1h", HOUR), ("30d", 30 * DAY)],
)
def test_durations(text: str, duration_ms: int) -> None:
    """A duration is a number and a unit, and is written back as it would be read."""
    assert values.duration(text) == duration_ms
    assert values.duration_text(duration_ms) == text


@given(st.integers(1, 3650 * 24 * 60 * 60))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    """What a message calls a duration, the file would mean by it."""
    assert values.duration(values.duration_text(seconds * SECOND)) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "30", "s", "0d", "-1h", "1.5h", "1 h", "1H", "1w", "3651d"])
def test_what_is_no_duration(text: str) -> None:
    """A duration has a unit, is above zero and not longer than ten years."""
    with pytest.raises(WrongValueError):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("[::1]:0", "::1", 0),
        ("localhost:65535", "localhost", 65535),
        ("0.0.0.0:1", "0.0.0.0", 1),  # noqa: S104 - read, not bound
    ],
)
def test_addresses_to_listen_on(text: str, host: str, port: int) -> None:
    """A host (IPv6 in brackets) and a port; it is written as it was read."""
    address = addresses.listen(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", ":80", "80", "127.0.0.1", "::1:80", "[::g]:80", "1.2.3.4.5:80", "a:65536", "a b:1"]
)
def test_what_is_no_address_to_listen_on(text: str) -> None:
    """Without a host or a port, or with an impossible one, it is refused."""
    with pytest.raises(WrongValueError):
        addresses.listen(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://", "https:///x", "https://a b", "https://a:99999", "https://a:0", "ftp://a",
        "//a", "a", "", "https://[::1", "https://u@a", "https://a?", "https://a#b", "https://a/?b",
        "http://10.0.0.1", "http://localhost.example.com", "https://a\n", "https://a\\b",
        "javascript:alert(1)", "https://-\u2028",
    ],
)  # fmt: skip
def test_what_is_no_url(text: str) -> None:
    """A URL has a scheme and a proper host, no user, no query; plain http only for loopback."""
    with pytest.raises(WrongValueError):
        addresses.url(text)


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    """No text makes the reading of URLs and addresses fail otherwise than by refusing it."""
    for read in (addresses.url, addresses.origin, addresses.proxy, addresses.listen):
        try:
            read(text)
        except WrongValueError as error:
            assert str(error)  # noqa: PT017 - every refusal has words
