"""What the admin routes answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest

from relay.web.health import (
    ChannelHealth,
    Health,
    QueueHealth,
    ReloadHealth,
    admin_routes,
    as_json,
)
from relay.web.metrics import Metrics
from relay.web.server import Server, address, bind

AT_MS = 1_790_000_000_000
GOOD = Health(
    ready=True,
    troubles=(),
    channels={"sales": ChannelHealth("connected", "connected", AT_MS, connected=True)},
    queues={"amocrm": QueueHealth(2, 30, 1), "whatsapp": QueueHealth(0, 0, 0)},
    reload=ReloadHealth(AT_MS, ok=True),
)
BAD = replace(
    GOOD,
    ready=False,
    troubles=("no channel is connected",),
    reload=ReloadHealth(AT_MS, ok=False, errors=("config.yaml:1:1: wrong",)),
)


@asynccontextmanager
async def _asking(health: Health) -> AsyncIterator[Callable[[str], object]]:
    async def read() -> Health:
        return health

    sock = bind("127.0.0.1", 0)
    url = f"http://{address(sock)}"
    async with (
        Server(sock, admin_routes(read, Metrics().registry)),
        aiohttp.ClientSession(base_url=url) as session,
    ):
        yield session.get


@pytest.mark.parametrize(("health", "status"), [(GOOD, 200), (BAD, 503)])
@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
async def test_statuses(health: Health, status: int, path: str) -> None:
    """200 if all is well, 503 if not."""
    async with _asking(health) as get, get(path) as answer:  # type: ignore[attr-defined]  # aiohttp's own
        assert answer.status == status


def test_what_holds_strangers_is_told_only_while_it_does() -> None:
    """A key more, in words, beside the state of the channel."""
    held = ChannelHealth("connected", "connected", AT_MS, connected=True, pacing="2 wait")
    told = as_json(replace(GOOD, channels={"sales": held}))["channels"]
    assert told == {
        "sales": {
            "state": "connected",
            "reason": "connected",
            "since": "2026-09-21T14:13:20+00:00",
            "pacing": "2 wait",
        }
    }


async def test_metrics_are_told_whatever_the_health() -> None:
    """A scraper gets its numbers most of all when something is wrong."""
    async with _asking(BAD) as get, get("/metrics") as answer:  # type: ignore[attr-defined]  # aiohttp's own
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")


def test_the_body_has_the_keys_of_the_contract() -> None:
    """Exactly these keys, and moments in ISO 8601 with their zone."""
    assert as_json(BAD) == {
        "status": "failing",
        "troubles": ["no channel is connected"],
        "channels": {
            "sales": {
                "state": "connected",
                "reason": "connected",
                "since": "2026-09-21T14:13:20+00:00",
            }
        },
        "queue": {
            "amocrm": {"waiting": 2, "oldest_seconds": 30, "dead": 1},
            "whatsapp": {"waiting": 0, "oldest_seconds": 0, "dead": 0},
        },
        "reload": {
            "at": "2026-09-21T14:13:20+00:00",
            "ok": False,
            "errors": ["config.yaml:1:1: wrong"],
        },
    }


def test_a_healthy_body_says_ok() -> None:
    """``status`` is ``ok`` exactly when there is no trouble."""
    assert as_json(GOOD)["status"] == "ok"
    assert GOOD.ok
    assert not BAD.ok
