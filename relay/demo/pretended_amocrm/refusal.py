"""A request amoCRM would not accept, and the record kept of it."""

from __future__ import annotations

from dataclasses import dataclass


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of this program
    """The request is answered with `status`; `code` is one word, `detail` says what was wrong."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Violation:
    """Something a correct client would not have done.

    `status` is what it was answered; 200 where amoCRM would take it and do something else than
    the client meant, such as a delivery status that steps back.
    """

    at_ms: int
    method: str
    path: str
    status: int
    code: str
    detail: str
