"""The log: one line an event, as JSON or for a terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class Threshold:
    """Drops what is below a level that a reload may change."""

    def __init__(self) -> None:
        self.level = logging.INFO

    def __call__(
        self, _: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Pass the event on, or drop it."""
        if _LEVELS.get("error" if method in {"exception", "critical"} else method, 0) < self.level:
            raise structlog.DropEvent
        return event


_threshold = Threshold()


def configure(*, level: str, form: str | None, stream: TextIO | None = None) -> None:
    """Send every log line, also those of libraries, to one stream (standard output).

    ``form`` is ``json`` or ``console``; None means console on a terminal and JSON elsewhere.
    """
    stream = stream or sys.stdout
    console = form == "console" or (form is None and stream.isatty())
    set_level(level)
    shared: list[structlog.typing.Processor] = [structlog.processors.add_log_level, add_timestamp]
    render: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty())] if console else [as_json_line]
    )
    structlog.configure(
        processors=[_threshold, *shared, *render],
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.getLogger("aiohttp.server").addFilter(_not_their_mistake)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_threshold.level, logging.WARNING))


def _not_their_mistake(record: logging.LogRecord) -> bool:
    """Whether a server's line is about us: a malformed request is its sender's own affair."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def add_timestamp(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """When: ISO 8601, UTC, microseconds."""
    now_us = time.time_ns() // 1_000
    event["timestamp"] = f"{_second(now_us // 1_000_000)}.{now_us % 1_000_000:06}Z"
    return event


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    """Formatting a date costs as much as the rest of a line, and a second has many lines."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def as_json_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """One event as one line: when, how grave and what first, then the rest."""
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, method, event)
    line = {"timestamp": event.pop("timestamp", None), "level": event.pop("level", None)}
    line["event"] = event.pop("event", None)
    line.update(event)
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:  # half a character in what somebody else said: a log must not fail for it
        return json.dumps(line, default=str)


def set_level(level: str) -> None:
    """Change the level, at once."""
    _threshold.level = _LEVELS[level]
