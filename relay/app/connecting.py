"""Connecting the channel, and what follows: letters that waited for it are due at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from relay.amocrm.connection import Connector


class HasteningConnector:
    """Implements :class:`relay.amocrm.connection.Connector` around another one."""

    def __init__(self, inner: Connector, hasten: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._hasten = hasten

    async def connect(self, account_amojo_id: str) -> str:
        """The scope id; whatever amoCRM refused before may be tried now.

        Raises:
            RefusedError: as the inner one does.
            UnreachableError: as the inner one does.
        """
        scope_id = await self._inner.connect(account_amojo_id)
        await self._hasten()
        return scope_id
