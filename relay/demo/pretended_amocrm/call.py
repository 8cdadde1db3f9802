"""A request as it came in and the answer to it, free of any server's types."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from relay.demo.pretended_amocrm.refusal import Refusal
from relay.demo.pretended_amocrm.state import Message


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `target` is the path with its query as it stood on the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        """The path alone."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query; of a key given twice the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def header(self, name: str) -> str:
        """The value of a header, or the empty string."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")

    def json(self) -> object:
        """The body decoded. Raises Refusal 400 if it is not JSON in UTF-8."""
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_no_such_number)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "NotJson", f"the body is not JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `message` is the message it speaks of, for whoever acts before it leaves."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    message: Message | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request the server has answered; `status` is None where no answer was given.

    `played` names the fault that was in force.
    """

    at_ms: int
    method: str
    path: str
    endpoint: str
    body: bytes = field(repr=False)
    status: int | None
    played: str | None


def json_reply(
    status: int,
    value: object,
    content_type: str = "application/json",
    message: Message | None = None,
) -> Reply:
    """An answer with a JSON body."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, content_type, message=message)


def _no_such_number(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
