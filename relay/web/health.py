"""How the relay is: what ``/readyz``, ``/healthz``, ``/metrics`` and the control socket tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from prometheus_client import CollectorRegistry, exposition

_MOST_ERRORS = 100  # a file may hold a hundred thousand; the log has them all

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """A channel's session: its state, why, and since when (milliseconds since the epoch).

    ``pacing``: what holds messages to people who never wrote, in words, if anything does.
    """

    state: str
    reason: str
    since_ms: int
    connected: bool
    pacing: str | None = None


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """A queue: letters waiting, the age of the oldest, letters dead."""

    waiting: int
    oldest_seconds: int
    dead: int


@dataclass(frozen=True, slots=True)
class ReloadHealth:
    """The last reading of the file: when, whether it was taken, and its errors if not."""

    at_ms: int
    ok: bool
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """Everything there is to tell. ``troubles`` are why the whole is not healthy, in words."""

    ready: bool
    troubles: Sequence[str]
    channels: Mapping[str, ChannelHealth]
    queues: Mapping[str, QueueHealth]
    reload: ReloadHealth

    @property
    def ok(self) -> bool:
        """Whether nothing troubles the relay as a whole."""
        return not self.troubles


def as_json(health: Health) -> dict[str, JsonValue]:
    """The body of ``/healthz``."""
    channels: dict[str, JsonValue] = {
        id_: {
            "state": c.state,
            "reason": c.reason,
            "since": moment(c.since_ms),
            **({"pacing": c.pacing} if c.pacing is not None else {}),
        }
        for id_, c in health.channels.items()
    }
    queues: dict[str, JsonValue] = {
        name: {"waiting": q.waiting, "oldest_seconds": q.oldest_seconds, "dead": q.dead}
        for name, q in health.queues.items()
    }
    return {
        "status": "ok" if health.ok else "failing",
        "troubles": list(health.troubles),
        "channels": channels,
        "queue": queues,
        "reload": {
            "at": moment(health.reload.at_ms),
            "ok": health.reload.ok,
            "errors": list(health.reload.errors[:_MOST_ERRORS]),
        },
    }


def admin_routes(
    read: Callable[[], Awaitable[Health]], registry: CollectorRegistry
) -> list[web.RouteDef]:
    """The routes of ``admin_listen``. ``registry`` is asked at each reading of ``/metrics``."""

    async def readyz(_: web.Request) -> web.Response:
        ready = (await read()).ready
        return web.Response(
            status=200 if ready else 503, text="ready\n" if ready else "not ready\n"
        )

    async def healthz(_: web.Request) -> web.Response:
        health = await read()
        return web.json_response(as_json(health), status=200 if health.ok else 503)

    async def metrics(_: web.Request) -> web.Response:
        await read()
        body = exposition.generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": exposition.CONTENT_TYPE_LATEST})

    return [web.get("/readyz", readyz), web.get("/healthz", healthz), web.get("/metrics", metrics)]


def moment(ms: int) -> str:
    """A moment in ISO 8601, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
