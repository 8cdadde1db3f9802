"""Whether amoCRM refuses our credentials: an operator's matter, shown by health, logged once."""

from __future__ import annotations

import enum

import structlog

from relay.delivery.ports import Clock
from relay.domain.values import value

_log = structlog.get_logger()


class Credential(enum.StrEnum):
    """What may be refused."""

    CHANNEL = "chats"  # the channel's id or secret, or the clock that goes into the signature
    TOKEN = "token"  # noqa: S105 - the name of a credential, not one
    OAUTH = "oauth"  # the refresh token, or the integration's secret
    RIGHTS = "administrator"  # the token is good, but not one of an administrator


@value
class Refusal:
    """One credential is refused, since when, and with what words."""

    credential: Credential
    reason: str
    since_ms: int


class CredentialsAlarm:
    """The refusals that stand; the next success with a credential lifts its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._standing: dict[Credential, Refusal] = {}

    @property
    def standing(self) -> tuple[Refusal, ...]:
        """The refusals that stand now, the oldest first; empty when all is well."""
        return tuple(self._standing.values())

    def refused(self, credential: Credential, reason: str) -> None:
        """Raise the alarm; only the first refusal of a row is logged."""
        if credential in self._standing:
            return
        refusal = Refusal(credential, reason, self._clock.now_ms())
        self._standing[credential] = refusal
        _log.error("credentials_refused", credential=credential.value, reason=reason)

    def accepted(self, credential: Credential) -> None:
        """Lift the alarm, if there is one."""
        if self._standing.pop(credential, None) is not None:
            _log.info("credentials_accepted", credential=credential.value)
