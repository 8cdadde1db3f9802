"""Who the pretended account is: its ids, secrets and people. All invented."""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.demo.pretended_amocrm.state import Account, Bot, User

OLGA = User(17, "Olga", "bbbbbbbb-0000-4000-8000-000000000017", "olga@example.com", is_admin=True)
BORIS = User(18, "Boris", "bbbbbbbb-0000-4000-8000-000000000018", "boris@example.com")
NEWCOMER = User(19, "Newcomer", None, "newcomer@example.com")


@dataclass(frozen=True, slots=True)
class Identity:
    """What amoCRM and its support hand out for one account and one channel.

    `token` is the long-lived token of an administrator if `token_is_admin`.
    """

    channel_id: str = "11111111-2222-4333-8444-555555555555"
    channel_secret: str = field(default="0123456789abcdef0123456789abcdef01234567", repr=False)
    amojo_id: str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    account_id: int = 30_000_001
    subdomain: str = "example"
    account_name: str = "Example"
    channel_title: str = "WhatsApp relay"
    token: str = field(default="long-lived-token-of-the-demo", repr=False)
    token_is_admin: bool = True
    integration_id: str = "22222222-3333-4444-8555-666666666666"
    integration_secret: str = field(default="secret-of-the-integration", repr=False)
    bot: Bot = field(default_factory=lambda: Bot("55555555-0000-4000-8000-000000000001", "Bot"))
    robot_id: str = "66666666-0000-4000-8000-000000000001"
    users: tuple[User, ...] = (OLGA, BORIS, NEWCOMER)

    def account(self) -> Account:
        """A fresh account with nothing in it but its people."""
        users = [
            User(u.id, u.name, u.amojo_id, u.email, u.is_admin, u.is_active) for u in self.users
        ]
        return Account(
            self.account_id, self.amojo_id, self.subdomain, self.account_name, self.channel_id,
            self.bot, users,
        )  # fmt: skip
