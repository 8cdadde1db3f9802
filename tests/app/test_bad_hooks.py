"""Hooks that nobody should send: answered as the contract says, never 500, never a traceback."""

from __future__ import annotations

import asyncio
import io
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp

from relay.demo.pretended_amocrm.signing import hook_signature_of
from tests.app.site import Site

ANNA = "79001234567"
_HOOKS = 10_000
_AT_ONCE = 16
_HUGE = 20 * 1024 * 1024
_BIGGER_KB = 30 * 1024  # what a refused body may cost, at most
_DRIPPING = 60

_ODD: tuple[object, ...] = (
    None, True, False, 0, -1, 10**30, 1e308, "", "x", "\x00", "😀" * 50, "\ud800", [], {}, [[]],
    {"id": None}, {"id": {}}, [None], "79001234567", 1.5,
)  # fmt: skip


async def test_ten_thousand_malformed_hooks(here: Site) -> None:
    """Whatever is in them, they are answered 200, 400 or 403, and good ones still get through."""
    chance = random.Random(4)
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    good = await here.reply(ANNA, "before")
    assert good.hook is not None
    bodies = _malformed(json.loads(good.hook.body), chance)
    statuses: Counter[tuple[str, int]] = Counter()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as senders:
        for _ in range(_AT_ONCE):
            senders.create_task(_send_all(here, session, bodies, statuses))
    assert sum(statuses.values()) == _HOOKS
    assert {status for _, status in statuses} == {200, 400, 403}
    assert all(status == 403 for signed, status in statuses if signed == "unsigned")
    await here.reply(ANNA, "after")
    await here.whatsapp.until(lambda: "after" in here.whatsapp.texts_to(ANNA), "the good one")
    assert (await here.admin("/healthz"))[0] == 200
    assert await here.relay.stop() == 0
    here.check_log()


async def _send_all(
    here: Site,
    session: aiohttp.ClientSession,
    bodies: Iterator[tuple[str, bytes]],
    statuses: Counter[tuple[str, int]],
) -> None:
    secret, url = here.amocrm.identity.channel_secret, _url(here)
    for signed, body in bodies:
        signature = hook_signature_of(secret, body) if signed == "signed" else "0" * 40
        async with session.post(url, data=body, headers={"X-Signature": signature}) as answer:
            statuses[signed, answer.status] += 1
            assert await answer.read() == b"", "the sender is told a number and no more"


def _malformed(good: object, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Hooks with something wrong, most of them signed, so that they get past the door."""
    for _ in range(_HOOKS):
        kind = chance.random()
        if kind < 0.75:
            text = json.dumps(_spoilt(good, chance), ensure_ascii=chance.random() < 0.5)
            body = text.encode("utf-8", "surrogatepass")
        elif kind < 0.85:
            whole = json.dumps(good).encode()
            body = whole[: chance.randrange(len(whole))]
        elif kind < 0.95:
            body = chance.randbytes(chance.randrange(200))
        else:
            depth = chance.choice([10, 1000, 100_000])
            body = b"[" * depth + b"]" * chance.choice([0, depth])
        yield ("unsigned" if chance.random() < 0.1 else "signed"), body


def _spoilt(value: object, chance: random.Random) -> object:
    """The value with one thing in it replaced, left out, or added."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        match chance.random():
            case luck if luck < 0.15:
                return {name: inner for name, inner in value.items() if name != key}
            case luck if luck < 0.25:
                return {**value, str(chance.choice(_ODD)): chance.choice(_ODD)}
            case _:
                return {**value, key: _spoilt(value[key], chance)}
    return chance.choice(_ODD)


async def test_bytes_that_are_no_http(here: Site) -> None:
    """Rubbish on the socket gets 400 or silence, and leaves no traceback."""
    chance = random.Random(5)
    await here.start()
    for rubbish in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",  # TLS spoken to a plain port
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST /amocrm/hook/x HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /amocrm/hook/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"A" * 100_000,
        chance.randbytes(5000) + b"\r\n\r\n",
    ]:
        reader, writer = await _connection(here)
        writer.write(rubbish)
        writer.write_eof()
        answer = await reader.read()
        assert answer == b"" or answer.split()[1] in {b"400", b"404"}, answer
        writer.close()
    assert (await here.admin("/readyz"))[0] == 200
    here.check_log()


async def test_unknown_places(here: Site) -> None:
    """A scope that is not ours and a path that is nobody's: 404, whatever the signature."""
    await here.start_connected()
    async with aiohttp.ClientSession() as session:
        for path in ["/amocrm/hook/other_scope", "/amocrm/hook/", "/", "/healthz", "/metrics"]:
            async with session.post(here.relay.hooks_url + path, data=b"{}") as answer:
                assert answer.status == 404
        async with session.get(_url(here)) as answer:
            assert answer.status == 405


async def test_bodies_of_twenty_megabytes(here: Site) -> None:
    """413, said before the body is read where its length is told, and it costs no memory."""
    await here.start_connected()
    before = _memory_kb(here.relay.pid)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(_HUGE // 65536):
            yield b"x" * 65536

    for told in (True, False):
        async with aiohttp.ClientSession() as session:
            headers = {"X-Signature": "0" * 40}
            data = io.BytesIO(b"x" * _HUGE) if told else pieces()
            try:
                async with session.post(_url(here), data=data, headers=headers) as answer:
                    assert answer.status == 413
            except aiohttp.ClientOSError:
                continue  # the door was closed while we were still shouting
    reader, writer = await _connection(here)
    writer.write(_head(here, _HUGE))  # and not one byte of the body
    assert (await reader.read(20)).split()[1] == b"413"
    writer.close()
    assert _memory_kb(here.relay.pid) - before < _BIGGER_KB
    assert (await here.admin("/readyz"))[0] == 200


async def test_slow_senders_hold_nobody(here: Site) -> None:
    """Bodies that come a byte at a time, or not at all, do not delay a hook; they get 408."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    dripping = [await _connection(here) for _ in range(_DRIPPING)]
    for _, writer in dripping:
        writer.write(_head(here, 1000) + b"{")
    begun = time.monotonic()
    good = await here.reply(ANNA, "in between")
    assert good.hook is not None
    assert good.hook.status == 200
    assert time.monotonic() - begun < 2
    for reader, writer in dripping:
        writer.write(b" ")
        assert (await reader.read(20)).split()[1] == b"408"
        writer.close()
    here.check_log()


def _url(here: Site) -> str:
    return f"{here.relay.hooks_url}/amocrm/hook/{here.amocrm.account.scope_id}"


async def _connection(here: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = here.relay.hooks_url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


def _head(here: Site, length: int) -> bytes:
    path = f"/amocrm/hook/{here.amocrm.account.scope_id}"
    return f"POST {path} HTTP/1.1\r\nHost: relay\r\nContent-Length: {length}\r\n\r\n".encode()


def _memory_kb(pid: int) -> int:
    """The most memory the process has ever used, in kilobytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
