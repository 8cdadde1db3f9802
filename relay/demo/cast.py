"""Who plays in the demonstration: the pretended account, its people, and the clients."""

from __future__ import annotations

from relay.demo.pretended_amocrm import Bot, Identity, User
from relay.demo.pretended_whatsapp import Person
from relay.demo.samples import portrait

IDENTITY = Identity(
    subdomain="demo",
    account_name="Демонстрация",
    bot=Bot("55555555-0000-4000-8000-000000000001", "Бот WhatsApp"),
    users=(
        User(17, "Ольга", "bbbbbbbb-0000-4000-8000-000000000017", "olga@example.com", True),
        User(18, "Игорь", "bbbbbbbb-0000-4000-8000-000000000018", "igor@example.com"),
        User(19, "Павел", "bbbbbbbb-0000-4000-8000-000000000019", "pavel@example.com"),
    ),
)
"""The account. All ids and secrets are invented."""

NOT_ON_WHATSAPP = "+7 900 000-00-99"
"""A number that nobody has registered."""


def clients() -> tuple[Person, ...]:
    """Everyone who has WhatsApp, afresh."""
    return (
        Person("anna", "Анна", "79000000001", picture=portrait("anna")),
        Person("boris", "Борис", "79000000002"),  # who shows himself to his friends only
        Person("vera", "Вера", "79000000003", picture=portrait("vera")),
    )
