"""Which account the token opens: the one thing of the REST API that the chats need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.client import TIMEOUT_S, exchange
from relay.amocrm.credentials import CredentialsHolder
from relay.amocrm.errors import RefusedError, UnreachableError

_REFUSALS: Final = {
    401: "the token has expired or was revoked, or the integration is off",
    402: "the account's subscription has ended",
    403: "no rights, an address outside the account's list, or a block for too many requests",
}
"""What the documentation says of these (REST API, "Error codes")."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account. ``amojo_id`` is its id in the chats API, ``id`` everywhere else."""

    id: int
    amojo_id: str
    subdomain: str
    name: str


class AccountReader:
    """Asks ``GET /api/v4/account`` with the token of the moment."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account_url: str,
        credentials: CredentialsHolder,
        alarm: CredentialsAlarm,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._session = session
        self._url = URL(account_url.rstrip("/") + "/api/v4/account?with=amojo_id", encoded=True)
        self._credentials = credentials
        self._alarm = alarm
        self._timeout_s = timeout_s

    async def read(self) -> Account:
        """The account.

        Raises:
            RefusedError: the token is no good.
            UnreachableError: no answer, or none that describes an account.
        """
        token = self._credentials.current.token
        if not token:
            raise self._refusal("there is no token yet")
        if not (token.isascii() and token.isprintable()):
            raise self._refusal("the token holds characters that no token has")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/hal+json"}
        answer = await exchange(self._session, "GET", self._url, headers, timeout_s=self._timeout_s)
        if answer.status in _REFUSALS:
            raise self._refusal(f"amoCRM answered {answer.status}: {_REFUSALS[answer.status]}")
        if answer.status != 200:
            raise UnreachableError(f"amoCRM answered {answer.status} to the question which account")
        account = parse_account(answer.body)
        self._alarm.accepted(Credential.TOKEN)
        return account

    def _refusal(self, reason: str) -> RefusedError:
        self._alarm.refused(Credential.TOKEN, reason)
        return RefusedError(reason)


def parse_account(body: bytes) -> Account:
    """The account in an answer.

    Raises:
        UnreachableError: the answer does not describe one, so it is not amoCRM's.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    match said:
        case {"id": int(number), "amojo_id": str(amojo_id)} if amojo_id:
            subdomain, name = said.get("subdomain"), said.get("name")
            return Account(number, amojo_id, str(subdomain or ""), str(name or ""))
        case _:
            raise UnreachableError("the answer does not describe an account with its amojo_id")
