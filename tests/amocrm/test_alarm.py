"""The alarm of refused credentials, and what credentials show of themselves."""

from __future__ import annotations

from structlog.testing import capture_logs

from relay.amocrm.alarm import Credential, CredentialsAlarm, Refusal
from relay.amocrm.credentials import CredentialsHolder
from tests.amocrm.doubles import BOT, DATE_MS, SECRET, TOKEN, HandClock, credentials


def test_alarm_stands_until_success() -> None:
    """A refusal stands with its beginning, is logged once, and the next success lifts it."""
    clock = HandClock()
    alarm = CredentialsAlarm(clock)
    with capture_logs() as logs:
        alarm.refused(Credential.CHANNEL, "403")
        clock.advance(1000)
        alarm.refused(Credential.CHANNEL, "403 again")
        assert list(alarm.standing) == [Refusal(Credential.CHANNEL, "403", DATE_MS)]
        alarm.accepted(Credential.CHANNEL)
        alarm.accepted(Credential.CHANNEL)
        assert not alarm.standing
    assert [log["event"] for log in logs] == ["credentials_refused", "credentials_accepted"]


def test_credentials_have_alarms_of_their_own() -> None:
    """A good token does not lift the alarm of a bad secret."""
    alarm = CredentialsAlarm(HandClock())
    alarm.refused(Credential.CHANNEL, "403")
    alarm.refused(Credential.TOKEN, "401")
    alarm.accepted(Credential.TOKEN)
    assert [refusal.credential for refusal in alarm.standing] == [Credential.CHANNEL]


def test_secrets_never_print() -> None:
    """Neither the credentials nor their holder show a secret."""
    for shown in (repr(credentials(bot_id=BOT)), str(CredentialsHolder(credentials()))):
        assert SECRET not in shown
        assert TOKEN not in shown
    assert BOT in repr(credentials(bot_id=BOT))
