"""What a change from the settings page costs if the file is large, and whether the loop waits."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from relay.app.interpreter import tune
from relay.app.settings_book import FileBook
from relay.config.secret import SecretSource
from relay.domain.ids import UserId
from relay.widget.book import Rights
from relay.widget.gate import Method
from relay.widget.settings import SettingsDesk
from tests.bench.reloading import ENTRIES, Ticking, large_file
from tests.bench.report import Figure
from tests.bench.rig import Meter, rig
from tests.widget.office import ORIGIN, Office, office_of

ROUNDS: Final = 3
_NOBODY: Final = "http://127.0.0.1:9"
_WANTED_STALL_S: Final = 0.05

_CLIENT: Final = """
import json, sys, urllib.request
for line in sys.stdin:
    method, url, token, origin, data = json.loads(line)
    body = None if data is None else json.dumps(data).encode()
    headers = {"X-Auth-Token": token, "Origin": origin, "Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        said = answer.read()
    print(json.dumps(json.loads(said).get("version")), flush=True)
"""


class Page:
    """A page's calls, made by a process of its own: its work is not the relay's."""

    def __init__(self, office: Office, process: asyncio.subprocess.Process) -> None:
        self._office = office
        self._process = process

    def prepared(self, method: str, path: str, data: object = None) -> bytes:
        """A call to be made: to write a large one down takes a while, which is not the relay's."""
        said = [method, self._office.url + path, self._office.token(), ORIGIN, data]
        return json.dumps(said).encode() + b"\n"

    async def call(self, prepared: bytes) -> Any:
        """One call; the version that the answer tells."""
        out, back = self._process.stdin, self._process.stdout
        assert out is not None
        assert back is not None
        out.write(prepared)
        await out.drain()
        return json.loads(await back.readline())


@asynccontextmanager
async def _page(office: Office) -> AsyncIterator[Page]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CLIENT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Page(office, process)
    finally:
        process.kill()
        await process.wait()


async def settings() -> list[Figure]:
    """The best of a few rounds; each has one change of a kind, and the reload that follows."""
    numbers = [f"+7999{count:07}" for count in range(ENTRIES)]
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        path = Path(home, "config.yaml")
        async with rig(_NOBODY, home=Path(home)) as here:
            reloads: set[asyncio.Task[None]] = set()

            def reload() -> None:
                reloads.add(asyncio.create_task(here.parts.reloader.reload()))

            await asyncio.to_thread(path.write_text, large_file(0), "utf-8")
            await here.parts.reloader.reload()
            book = FileBook(
                path,
                SecretSource(None, {}),
                here.parts.clock,
                live=lambda: here.parts.live.config,
                on_change=reload,
                name_of=str,
            )

            def desk(office: Office) -> Sequence[Method]:
                def rights(_: UserId) -> Rights:
                    return Rights(administrator=True, sections=frozenset())

                return SettingsDesk(
                    book, office.clock, rights=rights, people=lambda: (), channels=lambda: ()
                ).methods()

            async with office_of(None, desk) as office, _page(office) as page:
                figures = []
                for name, changes in {
                    "a switch": [{"phone_check": False}, {"phone_check": True}],
                    "one number more": [_add(f"+7888000000{n}") for n in range(ROUNDS)],
                    "one number less": [_drop(f"+7888000000{n}") for n in range(ROUNDS)],
                    f"{ENTRIES:,} numbers more".replace(",", " "): [_add(*numbers)],
                    f"{ENTRIES:,} numbers less".replace(",", " "): [_drop(*numbers)],
                }.items():
                    await office.clock.advance_ms(3_600_000)
                    rounds = [await _round(page, change, reloads) for change in changes]
                    figures += _told(name, rounds)
                return figures


def _add(*entries: str) -> dict[str, Any]:
    return {"blacklist": {"add": entries, "remove": []}}


def _drop(*entries: str) -> dict[str, Any]:
    return {"blacklist": {"add": [], "remove": entries}}


async def _round(
    page: Page, change: dict[str, Any], reloads: set[asyncio.Task[None]]
) -> tuple[float, ...]:
    version = await page.call(page.prepared("GET", "/widget/settings"))
    wish = {"version": version, "settings": change}
    prepared = page.prepared("PATCH", "/widget/settings", wish)
    async with Ticking() as ticking:
        meter = Meter()
        await page.call(prepared)
        answered = meter.read()
        await asyncio.gather(*reloads)
        whole = meter.read()
    reloads.clear()
    return answered.wall, whole.cpu, ticking.longest_s, ticking.longest_cpu_s


def _told(name: str, rounds: Sequence[tuple[float, ...]]) -> list[Figure]:
    wall, cpu, stall, held = (min(row) for row in zip(*rounds, strict=True))
    met = held <= _WANTED_STALL_S
    return [
        Figure(f"{name} from the settings page, {ENTRIES:,} listed", "", f"{wall:.2f} s"),
        Figure("its processor time, and the reload's", "", f"{cpu:.2f} s"),
        Figure("longest stall of the loop meanwhile", "", f"{stall * 1000:.0f} ms"),
        Figure("the same in processor time", "", f"{held * 1000:.0f} ms", "", "≤ 50 ms", met),
    ]


if __name__ == "__main__":
    tune()
    for figure in asyncio.run(settings()):
        print(f"{figure.name:55} {figure.relay:>9} {figure.met}")
