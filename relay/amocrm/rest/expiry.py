"""Warns weeks before a long-lived token ends.

Such a token is a JWT, and its claims tell when it ends; only amoCRM could verify them, and need not
here. Source: REST API, "Long-lived tokens": from a day to five years, and no refresh token.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Final

import structlog

from relay.amocrm.credentials import CredentialsHolder
from relay.delivery.ports import Clock
from relay.domain.retry import DAY, SECOND

WARNED_MS: Final = 30 * DAY
"""So long ahead the operator is told, every day."""

_log = structlog.get_logger()


def expiry_ms(token: str) -> int | None:
    """When a token ends, milliseconds since the epoch; None if it does not tell."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    match claims:
        case {"exp": int(seconds)} if 0 < seconds < 2**40:
            return seconds * SECOND
        case _:
            return None


class ExpiryWatch:
    """Looks at the token of the file once a day, and when it changes; one task runs it."""

    def __init__(self, credentials: CredentialsHolder, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._wish = asyncio.Event()

    @property
    def expires_ms(self) -> int | None:
        """When the token of the file ends; None if there is none, or it does not tell."""
        return expiry_ms(self._credentials.current.token)

    def wake(self) -> None:
        """The file names another token."""
        self._wish.set()

    async def run(self) -> None:
        """Warn for ever."""
        while True:
            self._warn()
            await self._clock.wait_ms(self._wish, DAY)
            self._wish.clear()

    def _warn(self) -> None:
        ends_ms = self.expires_ms
        if ends_ms is None:
            return
        left_ms = ends_ms - self._clock.now_ms()
        if left_ms <= 0:
            _log.error("token_expires", days=0)
        elif left_ms < WARNED_MS:
            _log.warning("token_expires", days=left_ms // DAY)
