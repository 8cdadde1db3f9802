"""The users of the account, and their rights.

Source: REST API, "Users": only an administrator's token may read them.
"""

from __future__ import annotations

from collections.abc import Mapping

from relay.amocrm.errors import UnreachableError
from relay.amocrm.rest.client import JsonObject, RestClient
from relay.domain.ids import CrmPersonId, UserId
from relay.domain.values import value


@value
class User:
    """A user. ``person`` is his id in the chats: amoCRM gives it when he first enters them."""

    id: UserId
    name: str
    person: CrmPersonId | None
    is_admin: bool


async def read_users(rest: RestClient) -> list[User]:
    """All users of the account.

    Raises:
        AmoCrmError: as the client does; ForbiddenError: the token is no administrator's.
        UnreachableError: also if there are none, for every account has one.
    """
    found = await rest.every("users", "users", [("with", "amojo_id")])
    users = [user for entry in found if (user := _user(entry)) is not None]
    if not users:
        raise UnreachableError("amoCRM told of no users at all")
    return users


def _user(entry: JsonObject) -> User | None:
    """A user in a list; None if the entry describes none."""
    match entry:
        case {"id": int(number)}:
            person, name, rights = entry.get("amojo_id"), entry.get("name"), entry.get("rights")
            return User(
                id=UserId(number),
                name=name if isinstance(name, str) else "",
                person=_person(person),
                is_admin=isinstance(rights, Mapping) and rights.get("is_admin") is True,
            )
        case _:
            return None


def _person(value: object) -> CrmPersonId | None:
    """An id as amoCRM makes them; anything else could be stored nowhere and equal nobody's."""
    return CrmPersonId(value) if isinstance(value, str) and value and value.isascii() else None
