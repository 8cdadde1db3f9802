"""The page's server: who is let in, and what each action does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from relay.demo.cast import IDENTITY
from relay.demo.keeper import Doors, Place
from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.demo.server import PAGE, serve
from relay.demo.show import Show
from relay.demo.snapshot import snapshot
from relay.demo.trouble import Trouble
from relay.web.server import bind


@dataclass
class Site:
    """The page's server around a show whose relay does not run."""

    show: Show
    url: str
    session: aiohttp.ClientSession

    async def act(self, do: str, **fields: object) -> int:
        async with self.session.post(f"{self.url}/act", json={"do": do, **fields}) as answer:
            return answer.status

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        doors = Doors()
        stack.callback(doors.close)
        crm = await stack.enter_async_context(PretendedAmoCRM(IDENTITY))
        show = Show(Place(tmp_path), crm, doors)
        show.world.line("sales")
        sock = bind("127.0.0.1", 0)
        runner = await serve(show, sock)
        stack.push_async_callback(runner.cleanup)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Site(show, f"http://127.0.0.1:{sock.getsockname()[1]}", session)


async def next_state(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """The next event of the stream."""
    async with asyncio.timeout(60):
        line = await answer.content.readuntil(b"\n\n")
    state: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return state


# --- Who is let in -------------------------------------------------------------------------------


async def test_the_page_and_its_files_are_served(site: Site) -> None:
    """The page comes whole from this server: every file it names is there, and no other."""
    status, page = await site.get("/")
    assert status == 200
    for file in PAGE.iterdir():
        assert (await site.get(f"/page/{file.name}"))[0] == 200
    assert "://" not in page.replace("http://www.w3.org", "")
    for path in (
        "/page/nothing.js",
        "/page/..%2fserver.py",
        "/page/%2e%2e/server.py",
        "/server.py",
    ):
        assert (await site.get(path))[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "demo.localhost:80"])
async def test_a_rebound_name_is_shown_nothing(site: Site, host: str) -> None:
    """A request under any other name than this machine's and this port's is refused."""
    for path in ("/", "/events", "/page/main.js"):
        assert (await site.get(path, Host=host))[0] == 403


async def test_a_strangers_page_cannot_act(site: Site) -> None:
    """Another origin is refused, and so is a body that a foreign form could send."""
    body = json.dumps({"do": "client_writes", "person": "anna", "channel": "sales", "text": "hi"})
    for headers, status in (
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json", "Origin": site.url}, 200),
    ):
        async with site.session.post(f"{site.url}/act", data=body, headers=headers) as answer:
            assert answer.status == status
    assert len(site.show.world.bubbles) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"do":"nothing"}',
        '{"do":"kill","more":1}',
        '{"do":"client_writes","person":"anna","channel":"sales"}',
        '{"do":"client_writes","person":"anna","channel":"sales","text":" "}',
        '{"do":"client_writes","person":7,"channel":"sales","text":"x"}',
        '{"do":"switch_client","person":"anna","on":"yes"}',
        '{"do":"switch_trouble","trouble":"war","on":true}',
        '{"do":"write_first","phone":"nobody","user":17,"text":"x"}',
    ],
)
async def test_what_is_no_action_is_refused(site: Site, body: str) -> None:
    """A body that is no action of the page answers 400 and changes nothing."""
    headers = {"Content-Type": "application/json"}
    async with site.session.post(f"{site.url}/act", data=body, headers=headers) as answer:
        assert answer.status == 400
    assert site.show.world.bubbles == []


# --- What actions do -----------------------------------------------------------------------------


async def test_a_client_writes_and_reads(site: Site) -> None:
    """The phones do what they are told."""
    assert await site.act("client_writes", person="anna", channel="sales", text="hi") == 200
    assert await site.act("owner_types", person="anna", channel="sales", text="yes") == 200
    assert await site.act("client_reads", person="anna", channel="sales") == 200
    bubbles = snapshot(site.show)["whatsapp"]["bubbles"]
    assert [(b["author"], b["tick"]) for b in bubbles] == [("client", "sent"), ("phone", "read")]


async def test_what_makes_no_sense_is_a_conflict(site: Site) -> None:
    """An action that names nobody, or comes at the wrong time, answers 409 with the reason."""
    assert await site.act("switch_client", person="anna", on=False) == 200
    for do, fields in (
        ("client_writes", {"person": "anna", "channel": "sales", "text": "hi"}),
        ("client_writes", {"person": "nobody", "channel": "sales", "text": "hi"}),
        ("switch_line", {"channel": "nowhere", "on": False}),
        ("unlink_line", {"channel": "nowhere"}),
        ("take_code", {"channel": "sales"}),
        ("manager_writes", {"chat": "none", "user": 17, "text": "hi"}),
        ("write_first", {"phone": "79000000001", "user": 99, "text": "hi"}),
    ):
        assert await site.act(do, **fields) == 409


async def test_the_file_is_saved(site: Site) -> None:
    """A save writes the real file, and the page waits for the relay's word."""
    assert await site.act("save", text="language: en\n") == 200
    assert site.show.place.config.read_text() == "language: en\n"
    assert snapshot(site.show)["file"]["outcome"] == "waiting"


async def test_the_relays_word_is_on_the_file_as_it_stands(site: Site) -> None:
    """A verdict that comes before the watch has seen the save is about the saved text."""
    site.show.place.config.write_text("language: en\n")
    site.show.hear(
        {"told": "event", "event": "config_reloaded", "changes": ["language is now en (was ru)"]}
    )
    told = snapshot(site.show)["file"]
    assert (told["text"], told["outcome"]) == ("language: en\n", "taken")


async def test_killing_a_relay_that_does_not_run(site: Site) -> None:
    """A kill without a process does nothing."""
    assert await site.act("kill") == 200


async def test_troubles_are_switched(site: Site) -> None:
    """Each trouble is in force until it is switched off, alone or with others."""
    for trouble in Trouble:
        assert await site.act("switch_trouble", trouble=trouble.value, on=True) == 200
    assert site.show.switches.on == frozenset(Trouble)
    with pytest.raises(aiohttp.ClientConnectionError):
        await site.session.get(f"{site.show.crm.url}/api/v4/account")
    await site.act("switch_trouble", trouble="down", on=False)
    async with site.session.get(f"{site.show.crm.url}/api/v4/account") as answer:
        assert answer.status == 503
    await site.act("switch_trouble", trouble="broken", on=False)
    await site.act("switch_trouble", trouble="slow", on=False)
    async with site.session.get(f"{site.show.crm.url}/api/v4/account") as answer:
        assert answer.status == 401
    assert site.show.switches.on == {Trouble.LIE}


async def test_errands_are_bounded(site: Site) -> None:
    """More hooks under way than the demonstration can own are refused, not queued for ever."""
    statuses = [
        await site.act("write_first", phone="8 900 000-00-01", user=17, text="hi")
        for _ in range(101)
    ]
    assert set(statuses[:100]) == {200}
    assert statuses[100] == 503


# --- The stream ----------------------------------------------------------------------------------


async def test_the_stream_tells_the_state_and_each_change(site: Site) -> None:
    """A reader gets the whole state at once, and again after every change."""
    async with site.session.get(f"{site.url}/events") as answer:
        assert (await next_state(answer))["whatsapp"]["bubbles"] == []
        await site.act("client_writes", person="anna", channel="sales", text="hi")
        assert (await next_state(answer))["whatsapp"]["bubbles"][0]["text"] == "hi"


async def test_a_slow_reader_misses_steps_but_not_the_end(site: Site) -> None:
    """Many changes in one go are one event with the latest state: nothing piles up."""
    async with site.session.get(f"{site.url}/events") as answer:
        await next_state(answer)
        for number in range(200):
            site.show.world.client_writes("anna", "sales", str(number))
        state = await next_state(answer)
        assert state["whatsapp"]["bubbles"][-1]["text"] == "199"


async def test_readers_are_bounded_and_let_go(site: Site) -> None:
    """The seventeenth page is refused; one that leaves makes room."""
    readers = [await site.session.get(f"{site.url}/events") for _ in range(16)]
    assert (await site.get("/events"))[0] == 503
    for reader in readers:
        reader.close()
    async with asyncio.timeout(60):
        while site.show.changes.readers == 16:
            site.show.changes.changed()
            await asyncio.sleep(0)
    async with site.session.get(f"{site.url}/events") as answer:
        assert answer.status == 200
