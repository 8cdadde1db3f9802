"""The library's event codes that the relay subscribes to, and no others.

An event that is not subscribed can neither cost time nor end the stream with an encoding error
(neonize 0.5.2: one event that cannot be encoded ends all of them).
"""

from __future__ import annotations

import enum


class Code(enum.IntEnum):
    """Codes of neonize 0.5.2 (``neonize.events.EVENT_TO_INT``)."""

    DEVICE = 0  # always sent, first of all; cannot be subscribed to
    QR = 1  # not subscribed: a call of its own, made only for a client without a device
    CONNECTED = 3
    KEEPALIVE_TIMEOUT = 4
    KEEPALIVE_RESTORED = 5
    LOGGED_OUT = 6
    STREAM_REPLACED = 7
    TEMPORARY_BAN = 8
    CONNECT_FAILURE = 9
    CLIENT_OUTDATED = 10
    DISCONNECTED = 12
    HISTORY = 13  # subscribed only where it is wanted: the library encodes megabytes of it
    MESSAGE = 17
    RECEIPT = 18
    CALL_TERMINATE = 42
    UNDECRYPTABLE = 44
    LOGIN_STATUS = 1001  # not the library's: another call of its own, the end of the QR codes
    WITHHELD = 1004  # nor this: a line of its log, in the form of UNDECRYPTABLE (``withheld``)


HANDED_OVER = frozenset(
    {Code.MESSAGE, Code.RECEIPT, Code.UNDECRYPTABLE, Code.CALL_TERMINATE, Code.WITHHELD}
)
"""What is kept in the journal before anything else happens to it."""

_UNASKED = frozenset({Code.DEVICE, Code.QR, Code.LOGIN_STATUS, Code.WITHHELD})

SUBSCRIBED = tuple(code for code in Code if code not in _UNASKED | {Code.HISTORY})
