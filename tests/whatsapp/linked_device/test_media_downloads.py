"""What the media host answers to a download, and where it may lead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from relay.whatsapp.linked_device import media_downloads
from relay.whatsapp.linked_device.media_downloads import MediaDownloads
from relay.whatsapp.linked_device.media_errors import GoneError, HostError
from relay.wire.direct import connect
from relay.wire.kept import Connect
from relay.wire.line import Place
from tests.wire.peer import Peer, peer

PLACE = "https://mmg.whatsapp.net/v/f"
BODY = b"0123456789"


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def asked() -> list[Place]:
    """Where connections were made to."""
    return []


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch, asked: list[Place]) -> AsyncIterator[Peer]:
    """Every host that is asked for."""

    async def to_it(line: asyncio.Protocol, place: Place) -> None:
        asked.append(place)
        await connect(line, there.place)

    async with peer() as there:
        monkeypatch.setattr(media_downloads, "media_way", lambda _: to_it)
        yield there


@pytest.fixture
async def media(host: Peer) -> AsyncIterator[MediaDownloads]:
    downloads = MediaDownloads("", {"Origin": "https://web.whatsapp.com"})
    yield downloads
    await downloads.close()


async def read(media: MediaDownloads, have: int = 0) -> bytes:
    return b"".join([piece async for piece in media.pieces(PLACE, have)])


async def test_a_file_is_asked_for_in_whatsapp_webs_name(host: Peer, media: MediaDownloads) -> None:
    """From its beginning there is no range."""
    host.answers = [answer(200, BODY)]
    assert await read(media) == BODY
    assert b"\r\nOrigin: https://web.whatsapp.com\r\n" in host.heads[0]
    assert b"Range" not in host.heads[0]


@pytest.mark.parametrize(
    "said",
    [
        answer(206, BODY[4:], "Content-Range: bytes 4-9/10"),
        answer(206, BODY[2:], "Content-Range: bytes 2-9/10"),
        answer(200, BODY),
    ],
)
async def test_only_the_rest_is_taken(said: bytes, host: Peer, media: MediaDownloads) -> None:
    """Whether the host begins where it should, a bit before, or tells all over again."""
    host.answers = [said]
    assert await read(media, 4) == BODY[4:]
    assert b"\r\nRange: bytes=4-\r\n" in host.heads[0]


async def test_all_that_is_had_already_is_left_out(host: Peer, media: MediaDownloads) -> None:
    """However many pieces it takes; no piece is empty."""
    large, have = BODY * 200_000, 1_234_567
    host.answers = [answer(200, large)]
    pieces = [piece async for piece in media.pieces(PLACE, have)]
    assert b"".join(pieces) == large[have:]
    assert all(pieces)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(206, BODY[5:], "Content-Range: bytes 5-9/10"), "left a gap"),
        (answer(206, BODY[4:]), "does not tell which part"),
        (answer(206, BODY[4:], "Content-Range: bytes */10"), "does not tell which part"),
        (answer(416), "answered 416"),
    ],
)
async def test_a_rest_that_does_not_fit_is_not_taken(
    said: bytes, words: str, host: Peer, media: MediaDownloads
) -> None:
    """What would be kept is another file."""
    host.answers = [said]
    with pytest.raises(HostError, match=words):
        await read(media, 4)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_it_goes_where_the_host_leads(
    status: int, host: Peer, media: MediaDownloads, asked: list[Place]
) -> None:
    """To another path, or another one of WhatsApp's hosts; with the same range."""
    host.answers = [
        answer(status, b"", "Location: /v/g?x=1"),
        answer(status, b"", "Location: https://media-x.cdn.whatsapp.net/h"),
        answer(206, BODY[4:], "Content-Range: bytes 4-9/10"),
    ]
    assert await read(media, 4) == BODY[4:]
    paths = [head.split(b" ")[1] for head in host.heads]
    assert paths == [b"/v/f", b"/v/g?x=1", b"/h"]
    assert all(b"\r\nRange: bytes=4-\r\n" in head for head in host.heads)
    hosts = ["mmg.whatsapp.net", "media-x.cdn.whatsapp.net"]
    assert asked == [Place(name, 443, secure=True) for name in hosts]


@pytest.mark.parametrize(
    "to",
    [
        "http://mmg.whatsapp.net/f",
        "https://evil.example/f",
        "//evil.example/f",
        "https://u@mmg.whatsapp.net/f",
        "https://mmg.whatsapp.net:8443/f",
    ],
)
async def test_nobody_leads_it_elsewhere(
    to: str, host: Peer, media: MediaDownloads, asked: list[Place]
) -> None:
    """Not to another machine, port or user, and nowhere in the open."""
    host.answers = [answer(302, b"", f"Location: {to}")]
    with pytest.raises(HostError, match="leads elsewhere"):
        await read(media)
    assert len(asked) == len(host.heads) == 1


async def test_circles_have_an_end(host: Peer, media: MediaDownloads) -> None:
    """Three requests, and it is for another time."""
    host.answers = [answer(302, b"", "Location: /v/f") for _ in range(9)]
    with pytest.raises(HostError, match="in circles"):
        await read(media)
    assert len(host.heads) == 3


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(403), GoneError),
        (answer(404), GoneError),
        (answer(410), GoneError),
        (answer(302), HostError),
        (answer(500), HostError),
        (answer(200, BODY)[:-1], HostError),
        (b"SSH-2.0-OpenSSH\r\n", HostError),
    ],
)
async def test_what_an_answer_means(
    said: bytes, error: type[Exception], host: Peer, media: MediaDownloads
) -> None:
    """Gone for ever, or not now; a word about it names no address."""
    host.answers, host.hang_up = [said], True
    with pytest.raises(error) as told:
        await read(media)
    assert "/v/f" not in str(told.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            "cannot be reached: Connection refused",
        ),
        (ConnectionError("the proxy does not lead there"), "reached: the proxy does not lead"),
        (TimeoutError(), "fell silent"),
        (UnicodeError("label too long"), "cannot be reached: UnicodeError"),
    ],
)
async def test_a_host_that_cannot_be_reached_is_for_another_time(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the system, the proxy or the name says to that."""

    def way(_: str) -> Connect:
        async def never(line: asyncio.Protocol, place: Place) -> None:
            raise error

        return never

    monkeypatch.setattr(media_downloads, "media_way", way)
    media = MediaDownloads("", {})
    with pytest.raises(HostError, match=words):
        await read(media)
    await media.close()


def test_a_proxy_that_makes_no_sense_is_for_another_time() -> None:
    """The file waits until somebody has put it right."""
    with pytest.raises(HostError, match="no way to the media host"):
        MediaDownloads("http://", {})
