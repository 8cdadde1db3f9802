"""The token that opens the REST API, whichever kind the file names."""

from __future__ import annotations

from typing import Protocol

from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import RefusedError


class Tokens(Protocol):
    """Where the client takes its token from, at each request anew."""

    @property
    def grant(self) -> str:
        """What the tokens of one administrator's consent have in common; empty without one.

        As long as it stays the same, they open the same account.
        """
        ...

    async def token(self) -> str:
        """The token of the moment.

        Raises:
            RefusedError: there is none, and an administrator must see to it.
            UnreachableError: it has to be renewed first, and that did not succeed now.
        """
        ...

    async def refused(self, token: str) -> bool:
        """A 401 came back for that token; whether there is another one to try.

        Raises:
            RefusedError: as above.
            UnreachableError: as above.
        """
        ...


class LongLivedToken:
    """The token that stands in the file."""

    def __init__(self, credentials: CredentialsHolder) -> None:
        self._credentials = credentials

    @property
    def grant(self) -> str:
        """The token itself."""
        return self._credentials.current.token

    async def token(self) -> str:
        """The token of the file as it is now.

        Raises:
            RefusedError: there is none, or what stands there cannot be one.
        """
        token = self.grant
        if not token:
            raise RefusedError("there is no token yet")
        if not (token.isascii() and token.isprintable()):
            raise RefusedError("the token holds characters that no token has")
        return token

    async def refused(self, token: str) -> bool:
        """Whether the file has another one by now."""
        return self.grant not in ("", token)


class AccountTokens:
    """Those of the kind that the file names at the moment."""

    def __init__(self, credentials: CredentialsHolder, consented: Tokens) -> None:
        self._credentials = credentials
        self._written = LongLivedToken(credentials)
        self._consented = consented

    @property
    def grant(self) -> str:
        """What the tokens of the moment have in common."""
        return self._now.grant

    async def token(self) -> str:
        """The token of the moment.

        Raises:
            RefusedError: there is none, and an administrator must see to it.
            UnreachableError: it has to be renewed first, and that did not succeed now.
        """
        return await self._now.token()

    async def refused(self, token: str) -> bool:
        """Whether there is another one to try.

        Raises:
            RefusedError: as above.
            UnreachableError: as above.
        """
        return await self._now.refused(token)

    @property
    def _now(self) -> Tokens:
        return self._consented if self._credentials.current.oauth else self._written
