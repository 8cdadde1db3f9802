"""Which account the token opens."""

from __future__ import annotations

from relay.amocrm.alarm import Credential, CredentialsAlarm
from relay.amocrm.errors import RefusedError, RejectedError, UnreachableError
from relay.amocrm.rest.client import JsonObject, RestClient
from relay.domain.values import value


@value
class Account:
    """An account. ``amojo_id`` is its id in the chats API, ``id`` everywhere else."""

    id: int
    amojo_id: str
    subdomain: str
    name: str


class AccountReader:
    """Asks ``GET /api/v4/account``, once a call: whoever asks insists by himself."""

    def __init__(self, rest: RestClient, alarm: CredentialsAlarm) -> None:
        self._rest = rest
        self._alarm = alarm

    async def read(self) -> Account:
        """The account.

        Raises:
            RefusedError: the token is no good.
            UnreachableError: no answer, or none that describes an account.
        """
        try:
            said = await self._rest.call("GET", "account", [("with", "amojo_id")], attempts=1)
        except RefusedError as error:
            self._alarm.refused(Credential.TOKEN, str(error))
            raise
        except RejectedError as error:
            raise UnreachableError(str(error)) from error
        if not said:
            raise UnreachableError("amoCRM answered the question which account with nothing (204)")
        account = account_of(said)
        self._alarm.accepted(Credential.TOKEN)
        return account


def account_of(said: JsonObject) -> Account:
    """The account in an answer.

    Raises:
        UnreachableError: the answer does not describe one, so it is not amoCRM's.
    """
    match said:
        case {"id": int(number), "amojo_id": str(amojo_id)} if amojo_id:
            subdomain, name = said.get("subdomain"), said.get("name")
            return Account(number, amojo_id, str(subdomain or ""), str(name or ""))
        case _:
            raise UnreachableError("the answer does not describe an account with its amojo_id")
