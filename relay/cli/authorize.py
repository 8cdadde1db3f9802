"""``relay authorize``: lets an administrator consent to OAuth, with the relay running or not.

A running relay takes what comes back, for it listens on the redirect address already, and uses the
tokens at once. Without one this process listens on ``server.listen`` itself and leaves the tokens
in the storage directory; a relay cannot be started meanwhile, for the address is taken.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from relay.amocrm.alarm import CredentialsAlarm
from relay.amocrm.client import open_session
from relay.amocrm.credentials import Credentials, CredentialsHolder, OAuthClient
from relay.amocrm.rest.consent import LIFE_MS, ConsentDesk, ConsentState
from relay.amocrm.rest.renewal import OAuthTokens
from relay.app.authorizing import AUTHORIZE_ROUTE, redirect_routes
from relay.app.clock import SystemClock
from relay.app.grant_file import GrantFile
from relay.cli.control import NotRunningError, ask
from relay.config.model import Config
from relay.config.model import OAuth as OAuthSection
from relay.sqlite.errors import StorageError
from relay.web.server import Server, bind

_POLL_S = 40.0  # above the longest answer of the relay

Tell = Callable[[str], None]


class AuthorizeError(Exception):
    """It did not succeed; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """How the consent ended."""

    standing: ConsentState
    reason: str


async def authorize(config: Config, tell: Tell) -> str:
    """Print the address, wait for the consent, and say what is true now.

    Raises:
        AuthorizeError: there are no tokens.
        StatusError: the running relay does not answer.
    """
    oauth = config.amocrm.oauth
    if oauth is None:
        raise AuthorizeError("the file has amocrm.token, not amocrm.oauth: nothing to consent to")
    try:
        told = await _by_the_relay(config, tell)
        done = "The running relay has the tokens and uses them now."
    except NotRunningError:
        told = await _alone(config, oauth, tell)
        done = "The tokens are kept; the relay uses them when it is started."
    if told.standing is not ConsentState.DONE:
        raise AuthorizeError(f"no tokens: {told.reason}")
    return done


def _ask_to_open(tell: Tell, address: str) -> None:
    tell(
        "Open this address in the browser of an administrator of the account, within twenty"
        f" minutes, and consent:\n\n{address}\n"
    )


async def _by_the_relay(config: Config, tell: Tell) -> Told:
    storage = config.storage.directory
    status, begun = await ask(storage, "POST", AUTHORIZE_ROUTE)
    if status != 200:
        raise AuthorizeError(f"{begun.get('error')}; has the running relay taken the file?")
    _ask_to_open(tell, str(begun["address"]))
    route = f"{AUTHORIZE_ROUTE}?id={quote(str(begun['id']))}"
    while True:
        try:
            _, answer = await ask(storage, "GET", route, timeout_s=_POLL_S)
        except NotRunningError:
            raise AuthorizeError("the relay was stopped meanwhile; run this again") from None
        told = Told(ConsentState(str(answer["state"])), str(answer["reason"]))
        if told.standing is not ConsentState.WAITING:
            return told


async def _alone(config: Config, oauth: OAuthSection, tell: Tell) -> Told:
    if not oauth.client_secret.is_there:
        raise AuthorizeError(
            "no relay runs here, and amocrm.oauth.client_secret is a secret that is not here:"
            " start the relay and run this again, or set the variable that relay check names"
        )
    client = OAuthClient(
        str(oauth.client_id), oauth.client_secret.reveal(), str(oauth.redirect_uri)
    )
    held = CredentialsHolder(Credentials("", "", "", oauth=client))
    account, clock = config.amocrm.account, SystemClock()
    file = GrantFile(config.storage.directory)
    try:
        kept = file.read()
    except StorageError as error:
        raise AuthorizeError(f"{error}; run this as root or as the relay's user") from error
    async with open_session() as session:
        tokens = OAuthTokens(
            session,
            account,
            held,
            clock=clock,
            alarm=CredentialsAlarm(clock),
            keep=file.keep,
            kept=kept,
        )
        desk = ConsentDesk(tokens, account, held, clock, lambda: None)
        async with _door(config, desk):
            asked = desk.begin()
            _ask_to_open(tell, asked.address)
            return Told(*await desk.wait(asked.id, LIFE_MS))


def _door(config: Config, desk: ConsentDesk) -> Server:
    """The redirect address, as the reverse proxy reaches it."""
    where = config.server.listen
    try:
        sock = bind(where.host, where.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AuthorizeError(
                f"server.listen: {where} is taken, by systemd's relay.socket perhaps: start the"
                " relay (systemctl start relay) and run this again"
            ) from error
        raise AuthorizeError(f"server.listen: {where}: {error.strerror or error}") from error
    return Server(sock, redirect_routes(desk, lambda: config.language), last_call=True)


def run_authorize(config: Config, tell: Tell) -> str:
    """As :func:`authorize`, from outside of any loop."""
    return asyncio.run(authorize(config, tell))
