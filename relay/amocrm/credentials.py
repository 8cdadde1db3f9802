"""What proves us to amoCRM, and the one place where a rotated secret is put."""

from __future__ import annotations

from dataclasses import field

from relay.domain.values import value


@value
class OAuthClient:
    """The integration whose tokens an administrator consents to."""

    id: str
    secret: str = field(repr=False)
    redirect_uri: str


@value
class Credentials:
    """The chat channel and the account's token, as of one moment.

    ``channel_id``, ``secret`` and ``bot_id`` come from amoCRM's support at the registration of the
    channel; ``title`` is the channel's name shown in the account; ``token`` is for the REST API,
    and empty where there is ``oauth`` instead.
    """

    channel_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    title: str = "WhatsApp"
    bot_id: str | None = None
    oauth: OAuthClient | None = None


class CredentialsHolder:
    """Holds the credentials in force; everyone reads them at the moment of use.

    So a secret that was rotated acts on the very next request and the very next hook.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.current = credentials

    def __repr__(self) -> str:
        """The credentials in force, without what is secret in them."""
        return f"CredentialsHolder({self.current!r})"
