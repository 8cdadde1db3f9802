"""What ``/metrics`` counts and shows."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from relay.delivery.steps import Direction, Step, StepEvent
from relay.domain.session import SessionState
from relay.web.health import Health


class Metrics:
    """Counters of steps, and gauges of the relay's health, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._steps = Counter(
            "relay_steps",
            "Steps of messages' lives, as in the log.",
            ("event", "direction", "channel"),
            registry=self.registry,
        )
        self._ignored = Counter(
            "relay_ignored",
            "What nothing was made of, by rule.",
            ("rule", "direction", "channel"),
            registry=self.registry,
        )
        self._counted: dict[tuple[StepEvent, Direction, str | None], Counter] = {}
        self._waiting = self._gauge("relay_queue_waiting", "Letters waiting.", "queue")
        self._oldest = self._gauge(
            "relay_queue_oldest_seconds", "Age of the oldest waiting letter.", "queue"
        )
        self._dead = self._gauge("relay_queue_dead", "Letters given up and kept.", "queue")
        self._connected = self._gauge(
            "relay_channel_connected", "1 if the channel's session is connected.", "channel"
        )
        self._state = Gauge(
            "relay_channel_state",
            "1 for the state the channel's session is in, 0 for every other.",
            ("channel", "state"),
            registry=self.registry,
        )
        self._since = self._gauge(
            "relay_channel_since_timestamp_seconds",
            "When the channel's session came into its state.",
            "channel",
        )
        self._changes = Counter(
            "relay_channel_changes",
            "How often a channel's session came into a state.",
            ("channel", "state"),
            registry=self.registry,
        )
        self._last: dict[str, str] = {}
        self._healthy = Gauge("relay_healthy", "1 if /healthz answers 200.", registry=self.registry)
        self._reloaded = Gauge(
            "relay_reload_ok", "1 if the file, as it stands, is in force.", registry=self.registry
        )

        self._token_expires = Gauge(
            "relay_amocrm_token_expires_timestamp_seconds",
            "When the token for amoCRM's REST API ends, unless it is renewed.",
            registry=self.registry,
        )

    def count(self, step: Step) -> None:
        """Count a step."""
        what = (step.event, step.direction, step.channel)
        counter = self._counted.get(what)
        if counter is None:
            counter = self._counted[what] = self._steps.labels(*_labels(*what))
        counter.inc()
        if step.event is StepEvent.IGNORED and step.detail is not None:
            self._ignored.labels(step.detail, *_labels(*what)[1:]).inc()

    def session(self, channel: str, state: SessionState) -> None:
        """A channel's session was told to be in a state; counted if it was in another before."""
        if self._last.get(channel) != state.value:
            self._last[channel] = state.value
            self._changes.labels(channel, state.value).inc()

    def follow_token(self, expires_s: Callable[[], float]) -> None:
        """Show when amoCRM's token ends, as told at each reading; NaN where nobody knows."""
        self._token_expires.set_function(expires_s)

    def show(self, health: Health) -> None:
        """Set the gauges."""
        for name, queue in health.queues.items():
            self._waiting.labels(name).set(queue.waiting)
            self._oldest.labels(name).set(queue.oldest_seconds)
            self._dead.labels(name).set(queue.dead)
        for gauge in (self._connected, self._state, self._since):
            gauge.clear()
        for id_, channel in health.channels.items():
            self._connected.labels(id_).set(channel.connected)
            self._since.labels(id_).set(channel.since_ms / 1000)
            for state in SessionState:
                self._state.labels(id_, state.value).set(channel.state == state.value)
        self._healthy.set(health.ok)
        self._reloaded.set(health.reload.ok)

    def _gauge(self, name: str, meaning: str, label: str) -> Gauge:
        return Gauge(name, meaning, (label,), registry=self.registry)


def _labels(event: StepEvent, direction: Direction, channel: str | None) -> tuple[str, str, str]:
    return event.value, direction.value, channel or ""
