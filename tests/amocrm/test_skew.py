"""The host's clock beside amoCRM's."""

from __future__ import annotations

from structlog.testing import capture_logs

from relay.amocrm.skew import ClockSkew
from tests.amocrm.doubles import DATE, DATE_MS

LATER = "Tue, 03 Feb 2026 10:15:31 GMT"
LATER_STILL = "Tue, 03 Feb 2026 10:15:32 GMT"
AT_LAST = "Tue, 03 Feb 2026 10:15:33 GMT"
MINUTE = 60_000


def test_small_differences_say_nothing() -> None:
    """Up to two minutes either way are nobody's business."""
    with capture_logs() as logs:
        skew = ClockSkew()
        skew.compare(DATE, DATE_MS + 2 * MINUTE)
        skew.compare(LATER, DATE_MS + 1000 - 2 * MINUTE)
    assert logs == []
    assert skew.seconds == -120


def test_skew_is_said_once_until_it_changes() -> None:
    """Beyond two minutes it warns once, and says once that it has passed."""
    skew = ClockSkew()
    with capture_logs() as logs:
        skew.compare(DATE, DATE_MS + 3 * MINUTE)
        skew.compare(LATER, DATE_MS + 3 * MINUTE)
        skew.compare(LATER_STILL, DATE_MS + 2_000)
        skew.compare(AT_LAST, DATE_MS - 10 * MINUTE + 3_000)
    assert [(log["event"], log["log_level"], log["seconds"]) for log in logs] == [
        ("clock_skew", "warning", 180),
        ("clock_agrees", "info", 0),
        ("clock_skew", "warning", -600),
    ]


def test_bad_dates_say_nothing() -> None:
    """A missing or senseless date header is no evidence."""
    skew = ClockSkew()
    with capture_logs() as logs:
        for date in (None, "", "yesterday", "Tue, 99 Feb 2026 10:15:30 +0000", "\x00"):
            skew.compare(date, 0)
    assert logs == []


def test_one_date_is_looked_at_once() -> None:
    """Answers within one second share a date header; a slow one of them is no skew."""
    skew = ClockSkew()
    with capture_logs() as logs:
        skew.compare(DATE, DATE_MS)
        skew.compare(DATE, DATE_MS + 5 * MINUTE)
    assert logs == []
