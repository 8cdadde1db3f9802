"""REST API v4: the account and its users.

Source: amoCRM developer documentation, "API v4": account, users.
"""

from __future__ import annotations

from relay.demo.pretended_amocrm.call import Call, Reply
from relay.demo.pretended_amocrm.rest_pages import hal, paged
from relay.demo.pretended_amocrm.state import Account, User


class People:
    """The account itself, and who works in it."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def account(self, call: Call, _: str) -> Reply:
        """``GET /account``."""
        account: dict[str, object] = {
            "id": self._account.id,
            "name": self._account.name,
            "subdomain": self._account.subdomain,
            "current_user_id": self._account.users[0].id,
            "country": "RU",
        }
        if "amojo_id" in _with(call):
            account["amojo_id"] = self._account.amojo_id
        return hal(account)

    def users(self, call: Call, base_url: str) -> Reply:
        """``GET /users``."""
        amojo = "amojo_id" in _with(call)
        users = [_user(user, amojo=amojo) for user in self._account.users]
        return paged(call, base_url, "users", users)


def _with(call: Call) -> list[str]:
    return call.query.get("with", "").split(",")


def _user(user: User, *, amojo: bool) -> dict[str, object]:
    rights = {
        "is_admin": user.is_admin, "is_active": user.is_active, "group_id": 0, "role_id": None,
    }  # fmt: skip
    shown: dict[str, object] = {
        "id": user.id, "name": user.name, "email": user.email, "lang": "ru", "rights": rights,
    }  # fmt: skip
    return {**shown, "amojo_id": user.amojo_id} if amojo else shown
