"""The end of a session, as the library's log tells it.

neonize 0.5.2 tells of no event before it has looked whose device it is, and a device that WhatsApp
refuses it forgets: if it looks too late, it goes on looking for ever, and never tells. Its log at
level INFO does, in both orders. (``FetchMe`` in its source, which waits until there is an ID.)
"""

from __future__ import annotations

import re

from relay.whatsapp.linked_device.protobufs import load

MARK = "sending LoggedOut event"
"""What a line of the library's log contains that tells it."""

_FAILURE = re.compile(r"^Got (\d+)")
_REASONS = {"403": 4, "406": 5}
_LOGGED_OUT = 2
"""The library's numbers for WhatsApp's reasons (``ConnectFailureReason``); 2 is that of 401."""


def read_goodbye(line: str) -> bytes | None:
    """What a line of the library's log tells, as its event LoggedOut; None if nothing."""
    if MARK not in line:
        return None
    failure = _FAILURE.match(line)
    reason = _REASONS.get(failure[1], _LOGGED_OUT) if failure else _LOGGED_OUT
    data: bytes = load().LoggedOut(OnConnect=failure is not None, Reason=reason).SerializeToString()
    return data
