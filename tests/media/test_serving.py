"""The door where kept files are given out, over real HTTP."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from relay.domain.contents import Media, MediaKind
from relay.domain.outbox import Destination
from relay.media.names import State
from relay.media.serving import media_routes
from relay.media.shelf import Found
from relay.media.small import Bundled, FoundSmall
from relay.media.store import FileStore
from tests.media.kept import on_disk

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 4
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@dataclass
class Door:
    """``asked``: the sizes of the pieces for which the throttle was asked."""

    store: FileStore
    server: BaseTestServer
    client: aiohttp.ClientSession
    asked: list[int]

    def url(self, name: str) -> str:
        return str(self.server.make_url(f"/media/{name}"))

    async def keep(self, data: bytes = JPEG, name: str = "фото.jpg") -> str:
        async with self.store.receive() as file:
            await file.write(data)
            media = Media(MediaKind.IMAGE, None, name=name)
            return (await file.keep(media, towards=Destination.AMOCRM)).name

    def state(self, name: str) -> State:
        found = self.store.find(name)
        assert found is not None
        return found.state


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    asked = list[int]()

    async def throttle(size: int) -> None:
        asked.append(size)

    store = FileStore(tmp_path, lambda: 1_000_000, reserve=0, throttle=throttle)
    app = web.Application()
    app.add_routes(media_routes(store))
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        yield Door(store, server, client, asked)
    store.close()


async def test_a_file_is_given_with_its_kind_size_and_name(door: Door) -> None:
    """Whoever has the link has the file, as it was sent."""
    name = await door.keep()
    async with door.client.get(door.url(name)) as answer:
        assert await answer.read() == JPEG
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.content_length == len(JPEG)
        assert answer.headers["ETag"]
        assert "%D1%84%D0%BE%D1%82%D0%BE.jpg" in answer.headers["Content-Disposition"]


async def test_a_small_file_is_given_out_of_its_bundle(door: Door) -> None:
    """It has none of its own then; and nobody sees a difference when it has, not by one header."""
    name, answers = await door.keep(), list[tuple[bytes, dict[str, str]]]()
    for _ in range(2):
        async with door.client.get(door.url(name)) as answer:
            answers.append((await answer.read(), dict(answer.headers)))
        answers[-1][1].pop("Date")
        if len(answers) == 1:
            assert not on_disk(door.store)
            await door.store.settle()
    assert answers[0] == answers[1]
    assert answers[0][0] == JPEG


async def test_what_was_given_out_of_its_bundle_is_fetched(door: Door) -> None:
    """Its own file knows of it, however it comes to be."""
    name = await door.keep()
    async with door.client.get(door.url(name)) as answer:
        await answer.read()
    async with asyncio.timeout(60):  # it is noted right after the answer
        while (found := door.store.find_bundled(name)) and found.state is State.NEW:
            await door.store.on_thread(int)
    assert door.state(name) is State.FETCHED


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-"}])
async def test_who_asks_while_it_is_settled_gets_it(
    headers: dict[str, str], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bundle may go in the very moment in which it is to be read."""
    name, real, reads = await door.keep(), Bundled.read, list[str]()

    def read(one: Bundled) -> bytes:
        reads.append(name)
        if len(reads) == 1:
            door.store._settling.settle()
        return real(one)

    monkeypatch.setattr(Bundled, "read", read)
    async with door.client.get(door.url(name), headers=headers) as answer:
        assert await answer.read() == JPEG
    assert len(reads) == 2


async def test_a_disk_without_room_makes_no_file_disappear(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is given once there is room for a file of its own, and the whole all the time."""
    name = await door.keep()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    part = {"Range": "bytes=10-19"}
    with monkeypatch.context() as broken:
        broken.setattr("relay.media.unsettled.write_new", refuse)
        async with door.client.get(door.url(name), headers=part) as answer:
            assert answer.status == 503
        async with door.client.get(door.url(name)) as answer:
            assert await answer.read() == JPEG
    async with door.client.get(door.url(name), headers=part) as answer:
        assert await answer.read() == JPEG[10:20]


async def test_the_loop_never_waits_for_the_disk(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even in a system call that sends a file by itself."""

    def sendfile(*_: object) -> int:
        raise AssertionError

    monkeypatch.setattr(os, "sendfile", sendfile)
    data = JPEG + bytes(900_000)
    async with door.client.get(door.url(await door.keep(data))) as answer:
        assert await answer.read() == data


async def test_only_large_answers_wait_for_the_throttle(door: Door) -> None:
    """With every byte; a small file, or a small part of a large one, passes by."""
    large, small = await door.keep(JPEG + bytes(900_000)), await door.keep(JPEG + bytes(200_000))
    door.asked.clear()
    part = {"Range": "bytes=500000-700000"}
    for name, headers in ((small, {}), (large, part)):
        async with door.client.get(door.url(name), headers=headers) as answer:
            assert len(await answer.read()) > 200_000
    assert door.asked == []
    async with door.client.get(door.url(large)) as answer:
        assert len(await answer.read()) == sum(door.asked)


async def test_head_tells_all_but_the_bytes(door: Door) -> None:
    """And is no fetching."""
    name = await door.keep()
    async with door.client.head(door.url(name)) as answer:
        assert (answer.status, answer.content_length) == (200, len(JPEG))
        assert await answer.read() == b""
    assert door.state(name) is State.NEW


async def test_a_part_is_given_on_request(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """A player jumps, a broken download goes on."""
    name = await door.keep()
    async with door.client.get(door.url(name), headers={"Range": "bytes=10-19"}) as answer:
        assert (answer.status, await answer.read()) == (206, JPEG[10:20])
        assert answer.headers["Content-Range"] == f"bytes 10-19/{len(JPEG)}"
    async with door.client.get(door.url(name), headers={"Range": "bytes=999999-"}) as answer:
        assert answer.status == 416
    assert not caplog.records  # nothing went wrong on the way


async def test_only_the_last_byte_makes_it_fetched(door: Door) -> None:
    """A part from the middle is not the file; one that reaches its end is the rest of it."""
    name = await door.keep()
    async with door.client.get(door.url(name), headers={"Range": "bytes=0-9"}) as answer:
        await answer.read()
    assert door.state(name) is State.NEW
    async with door.client.get(door.url(name), headers={"Range": "bytes=10-"}) as answer:
        await answer.read()
    async with asyncio.timeout(60):  # it is noted right after the answer
        while door.state(name) is not State.FETCHED:
            await door.store.on_thread(int)


@pytest.mark.parametrize("way", ["find", "find_bundled"])
async def test_two_may_fetch_it_at_once(
    way: str, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has found a file gets it, though another one's fetch is noted in that moment."""
    name = await door.keep()
    find = getattr(door.store, way)
    if way == "find":
        await door.store.settle()

    def find_and_be_outrun(name: str) -> Found | FoundSmall:
        found: Found | FoundSmall | None = find(name)
        assert found is not None
        door.store.note_fetched(found)
        return found

    monkeypatch.setattr(door.store, way, find_and_be_outrun)
    async with door.client.get(door.url(name)) as answer:
        assert await answer.read() == JPEG


async def test_who_has_it_already_is_not_sent_it_again(door: Door) -> None:
    """By its ETag."""
    name = await door.keep()
    async with door.client.get(door.url(name)) as answer:
        etag = answer.headers["ETag"]
    async with door.client.get(door.url(name), headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304


async def test_nothing_that_is_given_out_runs(door: Door) -> None:
    """A drawing with a script in it is unknown bytes to be saved, in a sandbox, not sniffed."""
    name = await door.keep(SVG, "picture.svg")
    async with door.client.get(door.url(name)) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize(
    "name", ["", ".", "%2e%2e%2fkey", "key", "a" * 32, "a" * 32 + ".jpg", "..%5ckey", "%00"]
)
async def test_nothing_else_is_given_out(door: Door, name: str) -> None:
    """No listing, no path, no guess."""
    await door.keep()
    async with door.client.get(door.url(name)) as answer:
        assert answer.status == 404


async def test_nobody_can_change_anything(door: Door) -> None:
    """It can be looked at, and that is all."""
    name = await door.keep()
    for method in ("POST", "PUT", "DELETE"):
        async with door.client.request(method, door.url(name)) as answer:
            assert answer.status == 405
