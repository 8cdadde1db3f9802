"""What the relay's process tells the demonstration: one JSON object a line on standard output.

    {"told": "step", …}      a step of a message's life, as ``relay.delivery.steps`` has it
    {"told": "event", …}     an event of the log that is not a step, whatever the log's level
    {"told": "rejected", …}  the file was refused at start

The log itself goes to a file beside the configuration.
"""

from __future__ import annotations

import json
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from relay.delivery.steps import Step

SHOWN = frozenset({"config_reloaded", "config_rejected", "unclean_stop", "ready", "stopping"})
"""Events of the log that the page shows."""


def tell(what: str, fields: dict[str, object]) -> None:
    """Tell the demonstration."""
    line = json.dumps({"told": what, **fields}, ensure_ascii=False, default=str)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell_step(step: Step) -> None:
    """An observer for ``Steps``."""
    tell("step", step._asdict())


def _tap(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if event.get("event") in SHOWN:
        tell("event", dict(event))
    return event


def tap_log() -> None:
    """Tell the shown events too, before the log's threshold may drop them."""
    processors = structlog.get_config()["processors"]
    structlog.configure(processors=[_tap, *processors])
