"""How the permission to upload is asked for: nothing of it stays with the library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.library import Library
from relay.whatsapp.linked_device.permission import Permission, T

PROXY = "socks5://there:1080"
ERROR = 'Post "https://mmg.whatsapp.net/mms/document/dG9r?auth=word&token=dG9r": connection refused'


class PretendedCalls:
    """The library of one client. ``hold`` makes its upload wait; ``busy``: so many calls fail."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.usable = True
        self.busy = 0
        self.error = ERROR
        self.uploading = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def ask(self, what: str, call: Callable[[Library, str], T], /) -> T | None:
        if what == "media-way" and self.busy:
            self.busy -= 1
            return None
        answer = call(cast(Library, self), "client")
        if self.said[-1] == "upload":
            self.uploading.set()
            if self.hold is not None:
                await self.hold.wait()
        return answer

    def ask_for_media_host(self, _: str, proxy: str | None) -> None:
        self.said.append(f"ask by {proxy}")

    def upload_to_nobody(self, _: str) -> bytes:
        self.said.append("upload")
        answer: bytes = protobufs.load().UploadReturnFunction(Error=self.error).SerializeToString()
        return answer

    def lead_media(self, _: str, proxy: str) -> bool:
        self.said.append(f"way by {proxy}")
        return True


ASKED = [f"ask by {PROXY}", "upload", f"way by {PROXY}"]


def permission(calls: PretendedCalls) -> Permission:
    return Permission(calls.ask, lambda: calls.usable, PROXY)


async def test_it_is_asked_for_once_and_the_way_is_led_back() -> None:
    """Two files at a time, and the next one: the library is asked only once."""
    calls = PretendedCalls()
    told = permission(calls)
    first, second = await asyncio.gather(told.access(), told.access())
    assert first is not None
    assert (first.host, first.auth) == ("mmg.whatsapp.net", "word")
    assert first is second is await told.access()
    assert calls.said == ASKED


async def test_whoever_gives_up_leaves_nothing_half_done() -> None:
    """The way is led back after the upload, not before, also if nobody waits any more."""
    calls = PretendedCalls()
    calls.hold = asyncio.Event()
    told = permission(calls)
    waiting = asyncio.create_task(told.access())
    await calls.uploading.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert calls.said == ASKED[:2]
    calls.hold.set()
    assert await told.access() is not None
    assert calls.said == ASKED


async def test_a_busy_library_is_asked_until_the_way_is_led_back() -> None:
    """A turn that did not come is waited for again."""
    calls = PretendedCalls()
    calls.busy = 2
    await permission(calls).access()
    assert calls.said == ASKED


async def test_of_a_client_that_is_gone_nothing_is_led_back() -> None:
    """A call about a client that the library does not know would end the process."""
    calls = PretendedCalls()
    calls.hold = asyncio.Event()
    told = permission(calls)
    waiting = asyncio.create_task(told.access())
    await calls.uploading.wait()
    calls.usable = False
    calls.hold.set()
    await waiting
    assert calls.said == ASKED[:2]


async def test_without_an_answer_there_is_no_permission() -> None:
    """It is asked for again at the next file."""
    calls = PretendedCalls()
    calls.error = "failed to refresh media connections: timed out"
    told = permission(calls)
    assert await told.access() is None
    calls.error = ERROR
    assert await told.access() is not None
    assert calls.said == ASKED * 2
