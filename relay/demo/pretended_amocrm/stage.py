"""Plays a request: through the fault that is in force for it, to the API that answers it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from relay.demo.pretended_amocrm import chats_api, rest_api
from relay.demo.pretended_amocrm.call import Call, Reply, Seen
from relay.demo.pretended_amocrm.faults import (
    Answer,
    BeforeAnswer,
    Effect,
    Faults,
    Hang,
    Lie,
    Reset,
    Slow,
)
from relay.demo.pretended_amocrm.refusal import Refusal, Violation

_REMEMBERED = 10_000


class Api(Protocol):
    """One of the two hosts in one."""

    def answer(self, call: Call) -> Reply:
        """Carry a request out. Raises Refusal."""

    def refused(self, refusal: Refusal) -> Reply:
        """The answer to a refused request."""


class Stage:
    """Answers calls, keeps what was refused and what was seen.

    `requests` holds the last ten thousand; `violations` everything.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        sleep: Callable[[float], Awaitable[object]],
        changed: Callable[[], None],
    ) -> None:
        self.faults = Faults()
        self.violations: list[Violation] = []
        self.requests: deque[Seen] = deque(maxlen=_REMEMBERED)
        self._now_ms = now_ms
        self._sleep = sleep
        self._changed = changed
        self._call: Call | None = None

    async def play(self, call: Call, chats: Api, rest: Api) -> Reply | None:
        """The answer to a call; None where the connection is to be reset instead."""
        in_chats = call.path.startswith(chats_api.BASE)
        names = chats_api.endpoint_of if in_chats else rest_api.endpoint_of
        endpoint = names(call.path) or "unknown"
        effect = self.faults.take(endpoint, call.path)
        if effect is not None:
            self._changed()
        reply: Reply | None = None
        try:
            reply = await self._under(effect, call, chats if in_chats else rest)
        finally:
            status = reply.status if reply else None
            played = type(effect).__name__ if effect else None
            self.requests.append(
                Seen(self._now_ms(), call.method, call.target, endpoint, call.body, status, played)
            )
            self._changed()
        return reply

    def note(self, code: str, detail: str) -> None:
        """Write down what is taken but was surely not meant, during a call."""
        method, path = (self._call.method, self._call.path) if self._call else ("", "")
        self.violations.append(Violation(self._now_ms(), method, path, 200, code, detail))

    async def _under(self, effect: Effect | None, call: Call, api: Api) -> Reply | None:
        match effect:
            case None:
                return self._judge(call, api)
            case Answer():
                headers = tuple(effect.headers.items())
                return Reply(effect.status, effect.body, effect.content_type, headers)
            case Reset() | Hang():
                await self._silence(effect)
                return None
            case Slow():
                await self._wait(effect)
                return await self._under(effect.then, call, api)
            case Lie():
                self._judge(call, api)
                self._changed()
                return await self._under(effect.then, call, api)
            case BeforeAnswer():
                reply = self._judge(call, api)
                self._changed()
                if reply.message is not None:
                    await effect.act(reply.message)
                return reply

    @staticmethod
    async def _silence(effect: Reset | Hang) -> None:
        if isinstance(effect, Hang):
            await asyncio.Event().wait()  # ends by cancellation, when the server goes or stops

    async def _wait(self, slow: Slow) -> None:
        if slow.until is not None:
            await slow.until.wait()
        else:
            await self._sleep(slow.seconds)

    def _judge(self, call: Call, api: Api) -> Reply:
        self._call = call
        try:
            return api.answer(call)
        except Refusal as refusal:
            # a repeat is what a client that lost an answer must do: kept as such, no violation
            if refusal.code != "MsgidRepeated":
                self.violations.append(
                    Violation(
                        self._now_ms(), call.method, call.path,
                        refusal.status, refusal.code, refusal.detail,
                    )
                )  # fmt: skip
            return api.refused(refusal)
        finally:
            self._call = None
