"""Sends hooks the way amoCRM does: signed, once, within five seconds, and only 200 counts.

Source: amoCRM developer documentation, "Chats API webhooks", rules of delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from relay.demo.pretended_amocrm.signing import hook_signature_of
from relay.demo.pretended_amocrm.state import Account, Hook

HOOK_LIMIT_S = 5.0
HookUrl = str | Callable[[], str] | None


class HookSender:
    """Posts hooks to the address given to support, where ``:scope_id`` stands for the scope.

    `newline` puts an unsigned line end after the body, as amoCRM is seen to do; `limit_s` is how
    long it waits for an answer. Both may be changed at run time, and so may `url`.
    """

    def __init__(
        self,
        account: Account,
        secret: str,
        url: HookUrl,
        now_ms: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self.url = url
        self.newline = False
        self.limit_s = HOOK_LIMIT_S
        self.hooks: list[Hook] = []
        self._account = account
        self._secret = secret
        self._now_ms = now_ms
        self._changed = changed
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Get ready to send; wants a running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Send nothing any more."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def prepare(self, body: bytes) -> Hook:
        """A signed hook, with the newline if there is to be one, written down but not yet sent.

        It is lost from the start if the channel is not connected.
        """
        signature = hook_signature_of(self._secret, body)
        hook = self.prepare_raw(body + b"\n" if self.newline else body, signature)
        if self._account.connection is None:
            self._finish(hook, "the channel is not connected")
        return hook

    def prepare_raw(self, body: bytes, signature: str | None) -> Hook:
        """A hook of these very bytes with this very signature; None sends no ``X-Signature``."""
        url = self.url() if callable(self.url) else self.url
        address = (url or "").replace(":scope_id", self._account.scope_id)
        hook = Hook(address, body, signature, self._now_ms())
        self.hooks.append(hook)
        if not address:
            self._finish(hook, "there is no address to send to")
        self._changed()
        return hook

    async def deliver(self, hook: Hook) -> Hook:
        """Send a hook; returns when it has its answer or is lost."""
        if hook.finished:
            return hook
        if self._session is None:
            raise RuntimeError("the pretended amoCRM is not running")
        headers = {"Content-Type": "application/json"}
        if hook.signature is not None:
            headers["X-Signature"] = hook.signature
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            lost = await self._post(self._session, hook, headers)
        except asyncio.CancelledError:
            self._finish(hook, "the sender was stopped")
            raise
        hook.took_ms = round((loop.time() - started) * 1000)
        self._finish(hook, lost)
        return hook

    async def _post(
        self, session: aiohttp.ClientSession, hook: Hook, headers: dict[str, str]
    ) -> str | None:
        """Post, once; the reason it is lost, or None."""
        limit = aiohttp.ClientTimeout(total=self.limit_s)
        try:
            async with session.post(
                hook.url, data=hook.body, headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                await answer.read()
                hook.status = answer.status
        except TimeoutError:
            return f"no answer within {self.limit_s} s"
        except (aiohttp.ClientError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return None if hook.status == 200 else f"answered {hook.status}"

    def _finish(self, hook: Hook, lost: str | None) -> None:
        hook.lost = lost
        hook.finished = True
        self._changed()
