"""Asking a running relay, over the Unix socket in its storage directory."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp

from relay.app.listen import control_path
from relay.web.health import JsonValue

_TIMEOUT_S = 10.0

Answer = dict[str, JsonValue]


class StatusError(Exception):
    """The relay could not be asked; the text says why and what to do."""


class NotRunningError(StatusError):
    """No relay runs there at all."""


def ask_status(storage: Path) -> Answer:
    """What ``/healthz`` tells, healthy or not.

    Raises:
        StatusError: no relay runs there, or it does not answer.
    """
    return asyncio.run(ask(storage, "GET", "/healthz"))[1]


async def ask(
    storage: Path, method: str, route: str, timeout_s: float = _TIMEOUT_S
) -> tuple[int, Answer]:
    """The HTTP status and the answer of the running relay.

    Raises:
        NotRunningError: no relay runs there.
        StatusError: it does not answer, or may not be asked.
    """
    path, timeout = control_path(storage), aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(path)), timeout=timeout
            ) as session,
            session.request(method, f"http://relay{route}") as response,
        ):
            answer: Answer = json.loads(await response.read())
            return response.status, answer
    except (aiohttp.ClientError, OSError, ValueError) as error:
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        if isinstance(cause, PermissionError):
            raise StatusError(f"{path}: not permitted; run this as the relay's user") from error
        nobody = isinstance(cause, FileNotFoundError | ConnectionRefusedError)
        raise (NotRunningError if nobody else StatusError)(
            f"{path}: no relay answers there ({type(error).__name__}); is the service running?"
        ) from error


def status_text(answer: Answer) -> str:
    """The answer for a person."""
    lines = [f"status: {answer['status']}"]
    lines += [f"  {trouble}" for trouble in _list(answer.get("troubles"))]
    lines.append("channels:")
    for id_, channel in _dict(answer["channels"]).items():
        told = _dict(channel)
        lines.append(f"  {id_}: {told['state']} since {told['since']} ({told['reason']})")
        if told.get("pacing"):
            lines.append(f"    {told['pacing']}")
    lines.append("queues:")
    for name, queue in _dict(answer["queue"]).items():
        told = _dict(queue)
        lines.append(
            f"  to {name}: {told['waiting']} waiting, oldest {told['oldest_seconds']} s, "
            f"{told['dead']} dead"
        )
    reload = _dict(answer["reload"])
    lines.append(f"last reload: {reload['at']} {'taken' if reload['ok'] else 'rejected'}")
    lines += [f"  {error}" for error in _list(reload["errors"])]
    return "\n".join(lines)


def _dict(value: JsonValue) -> Answer:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
