"""amoCRM's one-time token, by which the widget's calls are known: every claim is looked at.

Source: amoCRM developer documentation, "Disposable token": JWT, HS256, signed with the secret of
the integration. No I/O and no clock here; that a token comes once only is the gate's matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from relay.domain.ids import UserId

if TYPE_CHECKING:
    from jwt import PyJWS

HEADER: Final = "X-Auth-Token"
TOLERANCE_S: Final = 60
"""So much may amoCRM's clock and ours differ."""

LONGEST_TOKEN: Final = 4096
LONGEST_ID: Final = 100
LONGEST_LIFE_S: Final = 24 * 60 * 60
"""UNCONFIRMED: amoCRM's own live half an hour. A token is remembered for as long as it lives."""

_CLAIMS: Final = ("iss", "aud", "jti", "iat", "nbf", "exp", "account_id", "user_id", "client_uuid")


@dataclass(frozen=True, slots=True)
class Integration:
    """Whose tokens are good: the integration, the account, and the relay itself.

    ``issuer`` is the account's address, ``audiences`` the origins under which the integration was
    registered; ``account_id`` is None until amoCRM has told it.
    """

    id: str
    secret: str = field(repr=False)
    issuer: str
    audiences: frozenset[str]
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Claims:
    """A token that is good. ``id`` is its ``jti``; ``ends_s``: from then on nobody takes it."""

    id: str
    user: UserId
    ends_s: int


_ALGORITHM: Final = "HS256"


class TokenRefusedError(Exception):
    """The token is none, not amoCRM's, not for us, or not for now. The text is for the log."""


class AccountUnknownError(Exception):
    """The token may be good, but amoCRM has not told yet which account is ours."""


def verify(token: str, integration: Integration, now_s: float) -> Claims:
    """What the token says.

    Raises:
        TokenRefusedError: nothing of it may be believed.
        AccountUnknownError: everything else is right.
    """
    said = _signed(token, integration)
    issued, begins, ends = (_moment(said, name) for name in ("iat", "nbf", "exp"))
    if max(issued, begins) > now_s + TOLERANCE_S:
        raise TokenRefusedError("it is not valid yet: do the clocks agree?")
    if now_s >= ends + TOLERANCE_S:
        raise TokenRefusedError("it has expired")
    if not 0 < ends - issued <= LONGEST_LIFE_S:
        raise TokenRefusedError("it is valid for too long")
    _is_ours(said, integration)
    return Claims(_id(said), UserId(_number(said, "user_id")), ends + TOLERANCE_S)


@cache
def _library() -> tuple[PyJWS, type[Exception]]:
    """PyJWT and its error, loaded with the first token: with it come nine megabytes."""
    import jwt  # noqa: PLC0415  see above
    from jwt.algorithms import HMACAlgorithm  # noqa: PLC0415

    class Signature(HMACAlgorithm):
        """HS256 by a secret that amoCRM has chosen: no use in complaining of its length to us."""

        def check_key_length(self, key: bytes) -> None:
            """It is as long as it is."""

    library = jwt.PyJWS(algorithms=[])
    library.register_algorithm(_ALGORITHM, Signature(Signature.SHA256))
    return library, jwt.InvalidTokenError


def _signed(token: str, integration: Integration) -> Mapping[str, object]:
    """The claims, signed with the integration's secret and by no other algorithm."""
    if not token or len(token) > LONGEST_TOKEN:
        raise TokenRefusedError("there is none" if not token else "it is too long")
    library, invalid_token_error = _library()
    try:
        said = json.loads(library.decode(token, integration.secret, algorithms=[_ALGORITHM]))
    except invalid_token_error as error:
        raise TokenRefusedError(type(error).__name__) from None
    except (ValueError, RecursionError) as error:
        raise TokenRefusedError(f"it cannot be read: {type(error).__name__}") from None
    missing = [name for name in _CLAIMS if not isinstance(said, dict) or name not in said]
    if missing:
        raise TokenRefusedError(f"it lacks {missing[0]}")
    return dict(said)


def _is_ours(said: Mapping[str, object], integration: Integration) -> None:
    """Made by our account, for our integration at our address."""
    if said["iss"] != integration.issuer:
        raise TokenRefusedError("its iss is not the account of the file")
    if said["aud"] not in tuple(integration.audiences):
        raise TokenRefusedError("its aud is not server.public_url: see the redirect address")
    client = said["client_uuid"]
    if not isinstance(client, str) or client.lower() != integration.id.lower():
        raise TokenRefusedError("its client_uuid is not amocrm.integration.id")
    account = _number(said, "account_id")
    if integration.account_id is None:
        raise AccountUnknownError
    if account != integration.account_id:
        raise TokenRefusedError("its account_id is not our account's")


def _moment(said: Mapping[str, object], name: str) -> int:
    value = said[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise TokenRefusedError(f"its {name} is no time")
    return int(value)


def _number(said: Mapping[str, object], name: str) -> int:
    value = said[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise TokenRefusedError(f"its {name} is no number")
    return value


def _id(said: Mapping[str, object]) -> str:
    value = said["jti"]
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isascii():
        raise TokenRefusedError("its jti is no id")
    return value
