"""A linked device in a process of its own, as a test sees it."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from relay.delivery.codec import dump_body
from relay.domain.bodies import Quote, Reply, ReplyReaction
from relay.domain.contents import Content, Media, Remote
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmMessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import (
    Alias,
    Deleted,
    Edited,
    Reacted,
    Receipt,
    Received,
    WhatsAppEvent,
)
from relay.whatsapp.linked_device.reading import read_payload
from tests.whatsapp_server.inbox import PATIENCE_S, Inbox

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Line:
    """What the process said."""

    event: str
    values: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


class EngineProcess:
    """The engine on one session file; an async context manager. Leaving kills the process."""

    def __init__(
        self, environment: Mapping[str, str], store: Path, *, own: str, phone: str = ""
    ) -> None:
        self.kept_file = store.with_suffix(".kept")
        self.said: Inbox[Line] = Inbox(f"the engine on {store.name}")
        self.heard: Inbox[WhatsAppEvent] = Inbox(f"what {store.name} handed over")
        self.stdout: list[str] = []
        self.stderr = b""
        self._environment = dict(environment)
        self._arguments = [str(store), str(self.kept_file), phone]
        self._own = own
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> EngineProcess:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.whatsapp.linked_device.driver",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env=self._environment,
            limit=64 * 1024 * 1024,
        )
        self._readers = [
            asyncio.create_task(self._read_lines(), name="lines of the engine"),
            asyncio.create_task(self._read_errors(), name="errors of the engine"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.kill()
        if error is not None:
            sys.stderr.write(self.stderr.decode(errors="replace"))

    async def kill(self) -> None:
        """As the power cut does it."""
        assert self._process
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._readers)

    async def stop(self) -> int:
        """As the service's stop does it; gives the exit code."""
        assert self._process
        self.order("stop")
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
        await asyncio.gather(*self._readers)
        return code

    def order(self, do: str, **values: object) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")

    async def send(self, to: str, text: str, *, own: str | None = None) -> Line:
        """What became of a send."""
        return await self.outcome(self.begin_send(to, text, own=own))

    def begin_send(self, to: str, text: str, *, own: str | None = None) -> int:
        number = next(self._numbers)
        self.order("send", number=number, to=to, text=text, own=own or self._own)
        return number

    async def send_content(self, to: str, content: Content, quotes: Quote | None = None) -> Line:
        """What became of a send of anything. The name of a kept file is its path here."""
        number = next(self._numbers)
        reply = Reply(
            conversation=ConversationId("wa-1-2"),
            crm_id=CrmMessageId(f"crm-{number}"),
            channel=ChannelId("sales"),
            own=OwnNumber(self._own),
            to=ClientAddress(to),
            content=content,
            quotes=quotes,
        )
        self.order("send", number=number, body=dump_body(reply).decode())
        return await self.outcome(number)

    async def react(self, to: str, target: str, emoji: str, *, by_client: bool) -> str:
        """What became of a reaction."""
        body = ReplyReaction(
            ConversationId("wa-1-2"),
            ChannelId("sales"),
            OwnNumber(self._own),
            ClientAddress(to),
            WhatsAppMessageId(target),
            by_client,
            emoji,
        )
        self.order("react", body=dump_body(body).decode())
        line = await self.said.take(lambda line: line.event == "reacted", what="a reaction")
        return str(line["kind"])

    async def sequel(self) -> Edited | Deleted | Reacted:
        """Waits for the next news of what became of a message."""
        event = await self.heard.take(
            lambda e: isinstance(e, Edited | Deleted | Reacted), what="a sequel"
        )
        assert isinstance(event, Edited | Deleted | Reacted)
        return event

    async def fetch(self, content: Content, to: Path) -> Line:
        """What became of fetching a medium that was heard of, into a file."""
        assert isinstance(content, Media)
        assert isinstance(content.at, Remote)
        self.order("fetch", ref=content.at.ref, to=str(to))
        return await self._fetched(to)

    async def avatar(self, of: str, to: Path) -> Line:
        """What became of fetching the picture of a client, into a file."""
        self.order("avatar", of=of, to=str(to))
        return await self._fetched(to)

    async def _fetched(self, to: Path) -> Line:
        return await self.said.take(
            lambda line: line.event == "fetched" and line["to"] == str(to), what="a medium"
        )

    async def memory(self, order: Literal["forget_peak", "tell_peak"]) -> int:
        """In kilobytes: what is in memory now, forgetting the peak; or the peak since."""
        self.order(order)
        line = await self.said.take(lambda line: line.event == "memory", what="memory")
        kilobytes: int = line["kilobytes"]
        return kilobytes

    async def show_typing(self, to: str) -> None:
        """Show a client that we write; back once the library has said so."""
        self.order("type", number=next(self._numbers), to=to, text="", own=self._own)
        await self.said.take(lambda line: line.event == "typed", what="typing shown")

    async def outcome(self, number: int) -> Line:
        return await self.said.take(
            lambda line: line.event == "outcome" and line["number"] == number,
            what=f"the outcome of send {number}",
        )

    async def check(self, *numbers: str) -> Mapping[str, bool | None]:
        """Which of the numbers are on WhatsApp."""
        self.order("check", numbers=numbers)
        line = await self.said.take(lambda line: line.event == "checked", what="a check")
        there: Mapping[str, bool | None] = line["there"]
        return there

    async def alias(self) -> Alias:
        """Waits for the next news of whose number a hidden address is."""
        event = await self.heard.take(lambda e: isinstance(e, Alias), what="an alias")
        assert isinstance(event, Alias)
        return event

    async def state(self, *states: str) -> Line:
        """Waits for the session to be in a state, or in one of several."""
        return await self.said.take(
            lambda line: line.event == "state" and line["state"] in states, what=f"state {states}"
        )

    async def told(self, state: str, tell: Callable[[], Awaitable[None]]) -> Line:
        """Waits for a state; ``tell`` tells the client again if it came back without noticing.

        The library can miss a farewell that the end of the connection follows at once. Then it
        connects again, and is told again; so is the real one.
        """
        while (line := await self.state(state, "connected"))["state"] == "connected":
            await tell()
        return line

    async def message(self) -> Received:
        """Waits for the next message that was handed over."""
        event = await self.heard.take(lambda e: isinstance(e, Received), what="a message")
        assert isinstance(event, Received)
        return event

    async def receipt(self) -> Receipt:
        event = await self.heard.take(lambda e: isinstance(e, Receipt), what="a receipt")
        assert isinstance(event, Receipt)
        return event

    def kept(self) -> list[WhatsAppEvent]:
        """What is in the file, whatever became of the process."""
        lines = self.kept_file.read_text("ascii").splitlines() if self.kept_file.exists() else []
        return [event for line in lines for event in read_payload(bytes.fromhex(line))]

    async def _read_lines(self) -> None:
        assert self._process
        assert self._process.stdout
        async for raw in self._process.stdout:
            line = raw.decode()
            self.stdout.append(line)
            values = json.loads(line)
            event = values.pop("event")
            self.said.put(Line(event, values))
            if event == "kept":
                for heard in read_payload(bytes.fromhex(values["payload"])):
                    self.heard.put(heard)

    async def _read_errors(self) -> None:
        assert self._process
        assert self._process.stderr
        self.stderr = await self._process.stderr.read()
