"""Runs many linked devices in one process; prints one line of JSON about how it went.

Half of them send all the time while the other half are stopped and started again: registrations,
removals and calls as close together as the engine lets them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import structlog

from relay.app.clock import SystemClock
from relay.domain.bodies import Reply
from relay.domain.contents import Text
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, CrmMessageId, OwnNumber
from relay.domain.session import SessionState
from relay.whatsapp.linked_device import (
    LinkedDevice,
    exit_process,
    mute_library_output,
    reexec_if_needed,
)
from tests.whatsapp.engine_contract import Running

_PATIENCE_S = 60.0


class Channel:
    """One engine and its task."""

    def __init__(self, store: str) -> None:
        name = ChannelId(Path(store).stem)
        self.engine = LinkedDevice(name, Path(store), None, None, SystemClock())
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.run = Running()
        self.starts += 1
        self._task = asyncio.create_task(self.engine.run(self.run.kept, self.run.reports))

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def connected(self) -> OwnNumber:
        async with asyncio.timeout(_PATIENCE_S):
            await self.run.until(lambda: self.run.reports.latest is SessionState.CONNECTED)
        own = self.run.reports.states[-1][2]
        assert own is not None
        return own

    async def send(self, client: str, texts: int) -> list[str]:
        own = await self.connected()
        outcomes = []
        for number in range(texts):
            reply = Reply(
                ConversationId("wa"), CrmMessageId("crm"), ChannelId("any"), own,
                ClientAddress(client), Text(f"{own} {self.starts} {number}"),
            )  # fmt: skip
            outcomes.append(type(await self.engine.send(reply)).__name__)
        return outcomes

    async def restart(self, times: int) -> list[str]:
        for _ in range(times):
            await self.stop()
            self.start()
            await asyncio.sleep(0)
            await self.connected()
        return []


async def live(client: str, stores: list[str]) -> None:
    channels = [Channel(stores[0])]
    await channels[0].connected()
    with_one = threads()
    channels += [Channel(store) for store in stores[1:]]
    await asyncio.gather(*(channel.connected() for channel in channels))
    with_all = threads()
    work = [c.restart(3) if n % 2 else c.send(client, 10) for n, c in enumerate(channels)]
    outcomes = Counter(outcome for done in await asyncio.gather(*work) for outcome in done)
    began = time.monotonic()
    await asyncio.gather(*(channel.stop() for channel in channels))
    figures = {
        "outcomes": outcomes,
        "threads_each": (with_all - with_one) / (len(stores) - 1),
        "stop_s": time.monotonic() - began,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    reexec_if_needed()
    mute_library_output()
    client, *stores = sys.argv[1:]
    asyncio.run(live(client, stores))
    exit_process(0)


if __name__ == "__main__":
    main()
