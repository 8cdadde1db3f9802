"""What is counted and shown to Prometheus."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client import generate_latest

from relay.delivery.steps import Direction, Step, StepEvent
from relay.domain.session import SessionState
from relay.web.health import ChannelHealth
from relay.web.metrics import Metrics
from tests.web.test_health import AT_MS, BAD, GOOD

STEP = Step(StepEvent.DELIVERED, "t1", "sales", Direction.IN)


def _lines(metrics: Metrics) -> list[str]:
    return generate_latest(metrics.registry).decode().splitlines()


def test_every_step_is_counted() -> None:
    """By event, direction and channel."""
    metrics = Metrics()
    for step in (STEP, STEP, STEP._replace(direction=Direction.OUT), STEP._replace(channel=None)):
        metrics.count(step)
    lines = _lines(metrics)
    assert 'relay_steps_total{channel="sales",direction="in",event="delivered"} 2.0' in lines
    assert 'relay_steps_total{channel="sales",direction="out",event="delivered"} 1.0' in lines
    assert 'relay_steps_total{channel="",direction="in",event="delivered"} 1.0' in lines


def test_what_was_ignored_is_counted_by_rule() -> None:
    """An ignored step is a step, and its rule is counted beside it."""
    metrics = Metrics()
    metrics.count(STEP._replace(event=StepEvent.IGNORED, detail="group"))
    lines = _lines(metrics)
    assert 'relay_ignored_total{channel="sales",direction="in",rule="group"} 1.0' in lines


def test_errors_are_no_labels() -> None:
    """The words of an error may be endless and private: they never become a label."""
    metrics = Metrics()
    metrics.count(STEP._replace(event=StepEvent.DEAD, detail="call +79001234567"))
    assert "79001234567" not in "\n".join(_lines(metrics))


def test_gauges_show_the_health() -> None:
    """Queues, channels, the whole, and the reload."""
    metrics = Metrics()
    metrics.show(GOOD)
    lines = _lines(metrics)
    assert 'relay_queue_waiting{queue="amocrm"} 2.0' in lines
    assert 'relay_queue_oldest_seconds{queue="amocrm"} 30.0' in lines
    assert 'relay_queue_dead{queue="amocrm"} 1.0' in lines
    assert 'relay_channel_connected{channel="sales"} 1.0' in lines
    assert "relay_healthy 1.0" in lines
    assert "relay_reload_ok 1.0" in lines
    metrics.show(BAD)
    lines = _lines(metrics)
    assert "relay_healthy 0.0" in lines
    assert "relay_reload_ok 0.0" in lines


def test_a_session_shows_its_one_state_and_since_when() -> None:
    """Of all states there are just the present one is 1, so that an alert can name any of them."""
    metrics = Metrics()
    metrics.show(GOOD)
    banned = ChannelHealth("banned", "too many strangers", AT_MS, connected=False)
    metrics.show(replace(GOOD, channels={"sales": banned}))
    states = [line for line in _lines(metrics) if line.startswith("relay_channel_state{")]
    assert len(states) == len(SessionState)
    assert [line for line in states if line.endswith(" 1.0")] == [
        'relay_channel_state{channel="sales",state="banned"} 1.0'
    ]
    since = "relay_channel_since_timestamp_seconds{"
    [told] = [line for line in _lines(metrics) if line.startswith(since)]
    assert float(told.split()[1]) == AT_MS / 1000


def test_changes_of_a_session_are_counted() -> None:
    """Each time it comes into a state; a new reason for the same state is no change."""
    metrics = Metrics()
    for state in (SessionState.CONNECTED, SessionState.RECONNECTING, SessionState.RECONNECTING):
        metrics.session("sales", state)
    metrics.session("sales", SessionState.CONNECTED)
    lines = _lines(metrics)
    assert 'relay_channel_changes_total{channel="sales",state="connected"} 2.0' in lines
    assert 'relay_channel_changes_total{channel="sales",state="reconnecting"} 1.0' in lines


def test_a_removed_channel_is_not_shown_any_more() -> None:
    """A gauge of a channel that left the file would be an alarm about nothing."""
    metrics = Metrics()
    metrics.show(GOOD)
    metrics.show(replace(GOOD, channels={}))
    assert not any(line.startswith("relay_channel_") for line in _lines(metrics))


def test_registries_are_apart() -> None:
    """Two relays in one process do not share or refuse each other's metrics."""
    first, second = Metrics(), Metrics()
    first.count(STEP)
    assert 'event="delivered"' not in "\n".join(_lines(second))
